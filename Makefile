# make run    install, migrate, load sample content, serve         (PORT=8000 DATA=data)
# make site   build the ready website of what `make run` serves, and serve it   (SITE_PORT=8080 PORT=8000)
# make test   install what tests need, run the suite               (DATABASES=auto|sqlite|postgresql)
# make pythons run the suite, on SQLite, under the other Pythons that this machine has
# make dist   build the package, the wheel and the archive of its sources, into dist/
# make stress show that no read is stale, no write lost, no stop hangs (DATABASES=auto|sqlite|postgresql)
# make audit  ask whether a known vulnerability is in what is installed   (AUDIT=pypi|osv)
# make sbom   list what a release installs, as CycloneDX            (SBOM=sbom.cdx.json)
# make bench  measure, as ratios to others in the same run          (DATABASES=auto|sqlite|postgresql)
PYTHON ?= python3
PORT ?= 8000
DATA ?= data
SITE_PORT ?= 8080
DATABASES ?= auto
PYTEST ?= -n 3 --dist worksteal
AUDIT ?= pypi
AUDITED ?= run extras dev
AUDIT_FLAGS ?=
SBOM ?= sbom.cdx.json

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run site setup test pythons check lint types dist stress bench audit sbom requirements schema docs messages fonts
.DEFAULT_GOAL := run

run: setup
	@FOLIO_DATA_DIR="$(DATA)" $(BIN)/folio serve --demo --port $(PORT)

# The website in site/: it is built anew whenever Folio, or a file of the site, has changed.
site: site/node_modules/.installed
	@node -e 'if (parseInt(process.versions.node) < 20) { console.log("The website needs Node 20 or newer."); process.exit(1) }'
	@API_URL="$${API_URL:-http://127.0.0.1:$(PORT)}" SITE_PORT="$(SITE_PORT)" node site/serve.js

site/node_modules/.installed: site/package-lock.json
	@command -v npm >/dev/null || { echo "The website needs Node 20 or newer, with npm."; exit 1; }
	@echo "Installing what builds the website into site/node_modules (once)"
	@npm ci --prefix site --no-audit --no-fund --silent
	@touch $@

setup: $(VENV)/.installed

$(VENV)/.installed: requirements/run.txt pyproject.toml
	@echo "Installing Folio into $(VENV) (once; a minute or so)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Folio needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes -r requirements/run.txt
	@# Until 0.2.0 the distribution was called folio, whose removal would take the command along.
	@if ls -d $(VENV)/lib/python3*/site-packages/folio-*.dist-info >/dev/null 2>&1; then $(PIP) uninstall --yes folio; fi
	@$(PIP) install --no-deps --no-index --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements/dev.txt
	@echo "Installing what tests and checks need into $(VENV) (once)"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

# What generates and compiles clients in TypeScript, where npm is there: the tests that use them say so where it isn't.
$(VENV)/.installed-clients: $(VENV)/.installed-dev tests/clients/package-lock.json
	@if command -v npm >/dev/null; then npm ci --prefix tests/clients --no-audit --no-fund --silent && touch $@; fi

# What builds the ready website, likewise.
$(VENV)/.installed-site: site/package-lock.json
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory site/node_modules/.installed && touch $@; fi

# Bytecode is kept, whatever this shell's Python does: the suite starts Folio hundreds of times.
TESTING := env -u PYTHONDONTWRITEBYTECODE

# The status 69 says that PostgreSQL is not installed: a reason to say so on a developer's machine, a failure elsewhere.
test: $(VENV)/.installed-dev $(VENV)/.installed-clients $(VENV)/.installed-site
ifneq ($(DATABASES),postgresql)
	@echo "The suite on SQLite"
	@$(TESTING) -u DATABASE_URL $(BIN)/python -m pytest $(PYTEST)
	@command -v chromium chromium-browser google-chrome chrome >/dev/null || \
		echo "The browser tests were skipped: there is no Chromium (on Debian: apt-get install chromium)."
	@command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || \
		echo "The tests behind nginx were skipped: there is no nginx (on Debian: apt-get install nginx-light)."
	@command -v ffmpeg >/dev/null || \
		echo "The tests of films' pictures were skipped: there is no ffmpeg (on Debian: apt-get install ffmpeg)."
endif
ifneq ($(DATABASES),sqlite)
	@echo "The suite on PostgreSQL"
	@$(TESTING) $(BIN)/python -m tests.postgresql --servers 3 $(BIN)/python -m pytest $(PYTEST) --ignore tests/browser --ignore tests/site; \
	status=$$?; \
	if [ $$status -eq 69 ] && [ "$(DATABASES)" = auto ]; then echo "Tested on SQLite only."; else exit $$status; fi
endif

# Under each Python of pyproject.toml that is on the path or kept by pyenv, with what is pinned, in .pythons/.
pythons: $(VENV)/.installed-dev $(VENV)/.installed-clients
	@$(TESTING) -u DATABASE_URL $(BIN)/python -m tests.pythons $(PYTEST)

UNLESS_NO_NGINX = s=$$?; [ $$s -eq 0 ] || [ $$s -eq 69 ]

# Readers that run freely while everything is written: not one of them may see what was before a write's answer. Then
# what is killed and stopped a hundred times each: nothing that was acknowledged may be lost, no stop may hang,
# and no restart of two servers behind nginx may be noticed. Two machines, which have a PostgreSQL of their own, are read
# and written at for two minutes by those who compare, and for ten by those who only use them.
stress: $(VENV)/.installed-dev
ifneq ($(DATABASES),postgresql)
	@echo "20,000 reads on SQLite"
	@env -u DATABASE_URL $(BIN)/python -m benchmarks.stress
	@echo "Servers that are killed while they tell a website, on SQLite"
	@env -u DATABASE_URL $(BIN)/python -m benchmarks.telling
	@echo "Servers behind nginx that are restarted one by one, on SQLite"
	@env -u DATABASE_URL $(BIN)/python -m benchmarks.restarts; $(UNLESS_NO_NGINX)
	@echo "100 kills and 100 stops on SQLite"
	@env -u DATABASE_URL $(BIN)/python -m benchmarks.kills
	@echo "A minute without the database, on SQLite"
	@env -u DATABASE_URL $(BIN)/python -m benchmarks.outage
	@echo "Backups that are made under load and restored, on SQLite"
	@env -u DATABASE_URL $(BIN)/python -m benchmarks.restored
endif
ifneq ($(DATABASES),sqlite)
	@echo "20,000 reads on PostgreSQL"
	@$(BIN)/python -m tests.postgresql sh -c '$(BIN)/python -m benchmarks.stress && \
	echo "Servers that are killed while they tell a website" && $(BIN)/python -m benchmarks.telling && \
	echo "Servers behind nginx that are restarted one by one" && { $(BIN)/python -m benchmarks.restarts; $(UNLESS_NO_NGINX); } && \
	echo "100 kills and 100 stops on PostgreSQL" && $(BIN)/python -m benchmarks.kills && \
	echo "40 kills of two servers with their media in a bucket" && $(BIN)/python -m benchmarks.kills --s3 --kills 40 && \
	echo "A minute without the database" && $(BIN)/python -m benchmarks.outage && \
	echo "Backups that are made under load and restored" && $(BIN)/python -m benchmarks.restored && \
	echo "Crashes, restarts and switchovers" && $(BIN)/python -m benchmarks.switchover'; status=$$?; \
	if [ $$status -eq 69 ] && [ "$(DATABASES)" = auto ]; then echo "Stressed on SQLite only."; exit 0; fi; \
	[ $$status -eq 0 ] || exit $$status; \
	echo "Two machines, compared" && { $(BIN)/python -m benchmarks.stress --machines --seconds 120; $(UNLESS_NO_NGINX); } && \
	echo "Two machines, used" && { $(BIN)/python -m benchmarks.mixed; $(UNLESS_NO_NGINX); }
endif

check: lint types test

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/lint-imports --no-cache

types: $(VENV)/.installed-dev
	@$(BIN)/mypy

# What is published: the wheel is built of the archive alone, by what is installed already.
dist: $(VENV)/.installed-dev
	@rm -rf dist
	@$(BIN)/uv build --quiet --offline --no-build-isolation --python $(BIN)/python --out-dir dist
	@ls dist/*.whl dist/*.tar.gz

# All that is pinned, by its own file, against what is known today: PyPI is asked, or OSV where AUDIT=osv, and the registry of
# npm. A service that can't be reached, or that doesn't know a package, is a failure too: nothing is then known.
audit: $(VENV)/.installed-dev
	@status=0; \
	for name in $(AUDITED); do \
		echo "requirements/$$name.txt"; \
		$(BIN)/pip-audit --vulnerability-service $(AUDIT) --strict --require-hashes --disable-pip --progress-spinner off \
			--requirement requirements/$$name.txt $(AUDIT_FLAGS) || status=1; \
	done; \
	for folder in site tests/clients; do \
		echo "$$folder/package-lock.json"; \
		npm audit --prefix $$folder || status=1; \
	done; \
	exit $$status

sbom: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.sbom $(SBOM)

# Figures, as ratios within one run; see benchmarks/.
bench: $(VENV)/.installed-dev
ifneq ($(DATABASES),postgresql)
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks.public
	@$(BIN)/python -m benchmarks.site
	@$(BIN)/python -m benchmarks.site_build
	@$(BIN)/python -m benchmarks.uploads
	@$(BIN)/python -m benchmarks.variants
	@$(BIN)/python -m benchmarks.slow_clients
	@$(BIN)/python -m benchmarks.webhooks
	@$(BIN)/python -m benchmarks.metrics
	@$(BIN)/python -m benchmarks.million
	@$(BIN)/python -m benchmarks.backup
endif
ifneq ($(DATABASES),sqlite)
	@$(BIN)/python -m benchmarks --database postgresql && $(BIN)/python -m benchmarks.public --database postgresql && \
	$(BIN)/python -m benchmarks.site --database postgresql && $(BIN)/python -m benchmarks.webhooks --database postgresql && \
	$(BIN)/python -m benchmarks.million --database postgresql && $(BIN)/python -m benchmarks.workers && \
	$(BIN)/python -m benchmarks.move; \
	status=$$?; \
	if [ $$status -eq 69 ] && [ "$(DATABASES)" = auto ]; then echo "Measured on SQLite only."; else exit $$status; fi
endif

# For maintainers: pin the newest releases that pyproject.toml admits, and renew the committed OpenAPI schemas.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--group build --upgrade pyproject.toml
requirements: $(VENV)/.installed-dev
	@$(COMPILE) -o requirements/run.txt
	@$(COMPILE) --extra s3 --extra redis --extra sentry --constraint requirements/run.txt -o requirements/extras.txt
	@$(COMPILE) --extra dev --constraint requirements/extras.txt -o requirements/dev.txt

schema: $(VENV)/.installed-dev
	@$(BIN)/folio spectacular --validate --fail-on-warn --file tests/contract/openapi.yaml
	@$(BIN)/folio spectacular --validate --fail-on-warn --generator-class folio.delivery.schema.PublicGenerator \
		--file tests/contract/openapi-public.yaml

# Run the pages of docs/ that show commands, and write what is answered into them.
docs: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.papers

# Bring the Persian catalogue up to date with the code; what is new there waits for its translation.
messages: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.messages

# Cut the fonts of the admin site anew out of unfold's, after a new icon was named.
fonts: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.fonts
