-- The heartbeat: lengthens leases of one channel and writes again what eviction or a wipe took.
-- KEYS[1..2] as in leases.lua  KEYS[2+i] presence hash of lease i's agent
-- ARGV[1..5] as in leases.lua, then per lease: member, status, customStatus, avatar ('' = null), as its hub knows them
-- Output: only what is not as the hub knows it: {i, 1 if no lease held the agent any more, 2 if its hash was gone too,
--   else 0, agentId, status, customStatus, avatar, lastSeen}
mend()
local findings = {}
for i = 1, #KEYS - 2 do
  local at, hash = 6 + (i - 1) * 4, KEYS[2 + i]
  local member, known = ARGV[at], { ARGV[at + 1], ARGV[at + 2], ARGV[at + 3] }
  local agent = agentOf(member)
  local gone = false
  if not redis.call('ZSCORE', roster, member) then
    gone = not heldUntil(agent, goneAt)
    redis.call('ZADD', agents, 0, entryOf(member))
  end
  redis.call('ZADD', roster, now + leaseMs, member)
  local state = readState(hash)
  local lost = gone and (state and 1 or 2) or 0
  if state then
    redis.call('HSET', hash, 'agentId', agent, 'lastSeen', now)
    redis.call('PEXPIRE', hash, hashMs)
  else
    state = known
    writeState(hash, agent, state)
  end
  if gone or not same(state, known) then
    findings[#findings + 1] = { i, lost, agent, state[1], state[2], state[3], now }
  end
end
keep()
return findings
