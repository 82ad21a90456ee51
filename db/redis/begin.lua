-- Begins a session that has an end, in one step, by Redis's clock. KEYS[1] session.
-- ARGV: 1 refresh lifetime ms, 2 session lifetime ms, 3 attempt, 4 address, 5 what never changes.
-- NX: the command sent twice changes nothing.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local life = math.min(tonumber(ARGV[1]), tonumber(ARGV[2]))
local record = string.format('1 1 %s %.0f %.0f %s %s', ARGV[3], now, now + ARGV[2], ARGV[4], ARGV[5])
redis.call('SET', KEYS[1], record, 'PX', string.format('%.0f', life), 'NX')
return 1
