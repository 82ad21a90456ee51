-- One presentation of a refresh token, decided in one step (RFC 9700 §4.14.2). The same rules as decideRotation in
-- server/sessions/decide-rotation.ts; the contract suite compares the two. Record layout: db/redis/session-record.ts.
-- KEYS[1] session. ARGV: 1 generation presented, 2 attempt, 3 address ('-': unknown), 4 refresh lifetime ms, 5 retry ms.
-- Answers one text, 'outcome now-ms remaining-ms record', or 'not_found': a list costs its reader more than the rest.
local record = redis.call('GET', KEYS[1])
if not record then
  -- Changes nothing, but errs on a replica and wherever writes are refused: only a master that serves may say this.
  redis.call('DEL', KEYS[1])
  return 'not_found'
end

local layout = '^1 (%d+) (%S+) (%d+) (%d+) (%S+) (.+)$'
local generation, attempt, rotatedAt, ends, ip, constant = string.match(record, layout)
if not generation then return redis.error_reply('KEYTURN the session record has an unknown layout') end
generation, rotatedAt, ends = tonumber(generation), tonumber(rotatedAt), tonumber(ends)

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function answer(outcome, remaining, session)
  return string.format('%s %.0f %.0f %s', outcome, now, remaining, session)
end
local presented, retry = tonumber(ARGV[1]), tonumber(ARGV[5])

if presented == generation then
  local life = tonumber(ARGV[4])
  if ends > 0 then life = math.min(life, ends - now) end
  if life <= 0 then
    redis.call('DEL', KEYS[1])
    return 'not_found'
  end
  local successor = string.format('1 %.0f %s %.0f %.0f %s %s', generation + 1, ARGV[2], now, ends, ARGV[3], constant)
  redis.call('SET', KEYS[1], successor, 'PX', string.format('%.0f', life))
  return answer('rotated', life, successor)
end

if presented == generation - 1 then
  if ARGV[2] == attempt then return answer('rotated', redis.call('PTTL', KEYS[1]), record) end
  local inWindow = retry > 0 and now - rotatedAt <= retry
  if inWindow and ARGV[3] ~= '-' and ARGV[3] == ip then
    return answer('retried', redis.call('PTTL', KEYS[1]), record)
  end
end

redis.call('DEL', KEYS[1])
if presented > generation then return answer('rolled_back', 0, record) end
return answer('reused', 0, record)
