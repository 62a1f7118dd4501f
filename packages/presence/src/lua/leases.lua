-- Stands before every other script of this package: one channel's leases, and what they mean.
-- KEYS[1] roster  zset: agentId:hubId:sessionId -> end of the lease, ms
-- KEYS[2] agents  zset: 'agentId hubId sessionId' -> 0: the same leases, by agent
-- ARGV[1] now, ms ('' = TIME)  [2] leaseMs  [3] keepMs: how long both outlive the last lease  [4] hashMs: a hash's TTL
-- ARGV[5] '1': a lease is gone when it has expired; '0': when it was removed (a reaper asks whether its hub lives)
local roster, agents, leaseMs, keepMs, hashMs = KEYS[1], KEYS[2], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local goneAt = ARGV[5] == '1' and now or 0
local function agentOf(member) return string.match(member, '^[^: ]+') end
local function entryOf(member) return (string.gsub(member, ':', ' ')) end
local function entriesOf(agent, from, count)
  return redis.call('ZRANGEBYLEX', agents, from, '(' .. agent .. '!', 'LIMIT', 0, count)
end

-- The end of a lease of the agent that ends after the given time, or nil. Nearly always the first one serves.
local function heldUntil(agent, after)
  local from = '[' .. agent .. ' '
  while true do
    local entries = entriesOf(agent, from, 20)
    for _, entry in ipairs(entries) do
      local ends = tonumber(redis.call('ZSCORE', roster, (string.gsub(entry, ' ', ':'))) or 0)
      if ends > after then return ends end
    end
    if #entries < 20 then return nil end
    from = '(' .. entries[20]
  end
end

local function keep()
  local last = redis.call('ZRANGE', roster, -1, -1, 'WITHSCORES')
  local ttl = math.max(1, (tonumber(last[2]) or now) - now + keepMs)
  redis.call('PEXPIRE', roster, ttl)
  redis.call('PEXPIRE', agents, ttl)
end

-- Eviction may take one of the two without the other: the roster decides.
local function mend()
  if redis.call('ZCARD', roster) == redis.call('ZCARD', agents) then return end
  redis.call('DEL', agents)
  for _, member in ipairs(redis.call('ZRANGE', roster, 0, -1)) do
    redis.call('ZADD', agents, 0, entryOf(member))
  end
  keep()
end
