-- The records of those of the given agents that a lease holds in one channel. Writes nothing.
-- KEYS[1..2] as in leases.lua  KEYS[2+i] presence hash of agent i
-- ARGV[1..5] as in leases.lua  [6] '1': an ended lease that nobody reaped yet holds too; then per agent: agentId
-- Output: {agentId, status, customStatus, avatar, lastSeen} of each; null is ''; a hash evicted reads as plain online
local records, after = {}, ARGV[6] == '1' and 0 or now
for i = 1, #KEYS - 2 do
  local agent = ARGV[6 + i]
  local ends = heldUntil(agent, after)
  if ends then
    local hash = redis.call('HMGET', KEYS[2 + i], 'status', 'customStatus', 'avatar', 'lastSeen')
    records[#records + 1] = { agent, hash[1] or 'online', hash[2] or '', hash[3] or '', hash[4] or ends - leaseMs }
  end
end
return records
