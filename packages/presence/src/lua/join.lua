-- Takes leases in one channel, or takes them again.
-- KEYS[1..2] as in leases.lua  KEYS[2+i] presence hash of lease i's agent
-- ARGV[1..5] as in leases.lua, then per lease: member, status, customStatus, avatar; each of these three is
--   '' (as it is), '=' .. value (set) or '?' .. value (if no lease holds the agent yet)
-- Output: per lease {1 if there is something to announce else 0, agentId, status, customStatus, avatar, lastSeen}
local function settle(wish, current, held, default)
  local kind = string.sub(wish, 1, 1)
  if kind == '=' or (kind == '?' and not held) then return string.sub(wish, 2) end
  return current or default
end

mend()
local replies = {}
for i = 1, #KEYS - 2 do
  local at, hash = 6 + (i - 1) * 4, KEYS[2 + i]
  local member = ARGV[at]
  local agent = agentOf(member)
  local held = heldUntil(agent, goneAt)
  local old = held and readState(hash) or {}
  local new = {
    settle(ARGV[at + 1], old[1], held, 'online'),
    settle(ARGV[at + 2], old[2], held, ''),
    settle(ARGV[at + 3], old[3], held, ''),
  }
  redis.call('ZADD', roster, now + leaseMs, member)
  redis.call('ZADD', agents, 0, entryOf(member))
  writeState(hash, agent, new)
  replies[i] = { (held and same(old, new)) and 0 or 1, agent, new[1], new[2], new[3], now }
end
keep()
return replies
