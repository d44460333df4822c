# make run    install, migrate, load sample content, serve         (PORT=8000 DATA=data)
# make site   build the ready website of what `make run` serves, and serve it   (SITE_PORT=8080 PORT=8000)
# make test   install what tests need, run the suite               (DATABASES=auto|sqlite|postgresql)
# make stress show that no read is ever stale, within two minutes   (DATABASES=auto|sqlite|postgresql)
# make bench  measure, as ratios to others in the same run          (DATABASES=auto|sqlite|postgresql)
PYTHON ?= python3
PORT ?= 8000
DATA ?= data
SITE_PORT ?= 8080
DATABASES ?= auto
PYTEST ?= -n 2 --dist worksteal

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run site setup test check lint types stress bench requirements schema docs messages fonts
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
	@command -v ffmpeg >/dev/null || \
		echo "The tests of films' pictures were skipped: there is no ffmpeg (on Debian: apt-get install ffmpeg)."
endif
ifneq ($(DATABASES),sqlite)
	@echo "The suite on PostgreSQL"
	@$(TESTING) $(BIN)/python -m tests.postgresql $(BIN)/python -m pytest $(PYTEST) --ignore tests/browser --ignore tests/site; status=$$?; \
	if [ $$status -eq 69 ] && [ "$(DATABASES)" = auto ]; then echo "Tested on SQLite only."; else exit $$status; fi
endif

# Readers that run freely while everything is written: not one of them may see what was before a write's answer.
stress: $(VENV)/.installed-dev
ifneq ($(DATABASES),postgresql)
	@echo "20,000 reads on SQLite"
	@env -u DATABASE_URL $(BIN)/python -m benchmarks.stress
endif
ifneq ($(DATABASES),sqlite)
	@echo "20,000 reads on PostgreSQL"
	@$(BIN)/python -m tests.postgresql $(BIN)/python -m benchmarks.stress; status=$$?; \
	if [ $$status -eq 69 ] && [ "$(DATABASES)" = auto ]; then echo "Stressed on SQLite only."; else exit $$status; fi
endif

check: lint types test

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/lint-imports --no-cache

types: $(VENV)/.installed-dev
	@$(BIN)/mypy

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
endif
ifneq ($(DATABASES),sqlite)
	@$(BIN)/python -m benchmarks --database postgresql && $(BIN)/python -m benchmarks.public --database postgresql && \
	$(BIN)/python -m benchmarks.site --database postgresql; status=$$?; \
	if [ $$status -eq 69 ] && [ "$(DATABASES)" = auto ]; then echo "Measured on SQLite only."; else exit $$status; fi
endif

# For maintainers: pin the newest releases that pyproject.toml admits, and renew the committed OpenAPI schemas.
requirements: $(VENV)/.installed-dev
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--group build --upgrade pyproject.toml -o requirements/run.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--group build --extra dev --upgrade --constraint requirements/run.txt pyproject.toml -o requirements/dev.txt

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
