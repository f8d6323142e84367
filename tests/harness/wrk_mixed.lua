-- The load: static, rate-limited, cached and proxied pages in turn; the result as one line of JSON.

local paths = {"/hello.txt", "/limited/hello.txt", "/cached/page", "/proxied/page", "/echo/"}
local requests = {}
local turn = 0

function init(arguments)
  for index, path in ipairs(paths) do
    requests[index] = wrk.format("GET", path, {["X-Echo"] = "wrk"})
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.3f, "longest_ms": %.3f, "connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}\n',
    summary.requests, summary.duration / 1e6, latency.max / 1e3,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
