-- What wrk sends; the first argument names the kind of requests.
--
--   same    the URL as it stands
--   pages   PATH ROWS LIMIT STRIDE: another offset or limit each time, never a page twice
--   filters PATH FIRST: another bound each time, from that number on
--   create  PATH RUN: a portfolio each time, named after the run
--   patch   PATH RUN ROWS: one field of one row after another
--   upload  PATH FILE BOUNDARY: the multipart body in that file, under another name each time

local kind, path, number, limit, stride
local sent = 0
local body

local kinds = {}

function kinds.pages()
  local offset = sent * stride % number
  local more = ({0, -1, 1, -2, 2})[math.floor(sent / number) % 5 + 1]
  return wrk.format("GET", string.format("%s&limit=%d&offset=%d", path, limit + more, offset))
end

function kinds.filters()
  return wrk.format("GET", string.format("%s&id_max=%d", path, number + sent))
end

function kinds.create()
  local name = string.format("%d-%d", number, sent)
  local text = string.format([[{"title": "Harbour museum %s", "slug": "harbour-museum-%s", "excerpt": "A short text.",
    "description": "A longer text about the work.", "image": 7, "images": [11, 12, 13], "order": 5, "employer": 3,
    "tags": [1, 2, 3], "completed_at": "2025-03-01", "links": [{"name": "Website", "url": "https://www.example.com/"}],
    "meta": [{"key": "area", "value_text": "120 m2"}]}]], name, name)
  return wrk.format("POST", path, nil, text)
end

function kinds.patch()
  local text = string.format([[{"excerpt": "Changed in run %d, %d times."}]], number, sent)
  return wrk.format("PATCH", string.format("%s%d/", path, sent % limit + 1), nil, text)
end

function kinds.upload()
  return wrk.format("POST", path, nil, (body:gsub("FILENAME", "photograph-" .. sent, 1)))
end

function init(args)
  kind, path = args[1], args[2]
  number, limit, stride = tonumber(args[3]), tonumber(args[4]), tonumber(args[5])
  if kind == "create" or kind == "patch" then
    wrk.headers["Content-Type"] = "application/json"
  elseif kind == "upload" then
    wrk.headers["Content-Type"] = "multipart/form-data; boundary=" .. args[4]
    local file = io.open(args[3], "rb")
    body = file:read("*a")
    file:close()
  end
  if kinds[kind] then
    request = function()
      local text = kinds[kind]()
      sent = sent + 1
      return text
    end
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "seconds": %.6f, "failed": %d, "p50": %.3f, "p99": %.3f}\n',
    summary.requests, summary.duration / 1e6,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
