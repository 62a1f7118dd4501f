-- The records of those of the given agents that a live lease holds in one channel. Writes nothing.
-- KEYS[1..2] as in leases.lua  KEYS[2+i] presence hash of agent i
-- ARGV[1..5] as in leases.lua, then per agent: agentId
-- Output: {agentId, status, customStatus, avatar, lastSeen} of each; null is ''; a hash evicted reads as plain online
local records = {}
for i = 1, #KEYS - 2 do
  local agent = ARGV[5 + i]
  local ends = heldUntil(agent, now)
  if ends then
    local hash = redis.call('HMGET', KEYS[2 + i], 'status', 'customStatus', 'avatar', 'lastSeen')
    records[#records + 1] = { agent, hash[1] or 'online', hash[2] or '', hash[3] or '', hash[4] or ends - leaseMs }
  end
end
return records
