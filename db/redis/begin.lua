-- Begins a session in one step, by Redis's clock. KEYS[1] session.
-- ARGV: 1 refresh lifetime ms, 2 session lifetime ms (0: unbounded), 3 attempt, 4 address, 5 what never changes.
-- NX: the command sent twice changes nothing.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local life = tonumber(ARGV[1])
local ends = 0
if ARGV[2] ~= '0' then
  ends = now + ARGV[2]
  life = math.min(life, tonumber(ARGV[2]))
end
local record = string.format('1 1 %s %.0f %.0f %s %s', ARGV[3], now, ends, ARGV[4], ARGV[5])
redis.call('SET', KEYS[1], record, 'PX', string.format('%.0f', life), 'NX')
return 1
