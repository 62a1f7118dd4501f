-- Ends those of the given leases of one channel that have expired. A lease renewed meanwhile, or reaped by another
-- hub, is passed over: so exactly one caller is told that the agent went.
-- KEYS[1..2] as in leases.lua  KEYS[2+i] presence hash of lease i's agent
-- ARGV[1..5] as in leases.lua, then per lease: member
-- Output: {i, agentId, 'offline', customStatus, avatar, lastSeen} of each agent whose last lease was among them
mend()
local gone = {}
for i = 1, #KEYS - 2 do
  local ends = redis.call('ZSCORE', roster, ARGV[5 + i])
  if ends and tonumber(ends) <= now then
    local record = release(ARGV[5 + i], KEYS[2 + i], tonumber(ends) - leaseMs)
    if record then gone[#gone + 1] = { i, unpack(record) } end
  end
end
return gone
