-- Ends leases of one channel.
-- KEYS[1..2] as in leases.lua  KEYS[2+i] presence hash of lease i's agent
-- ARGV[1..5] as in leases.lua, then per lease: member
-- Output: {i, agentId, 'offline', customStatus, avatar, lastSeen} of each agent whose last lease was among them;
--   lastSeen is now, so that among all that is told of an agent the latest has the latest lastSeen
mend()
local gone = {}
for i = 1, #KEYS - 2 do
  local record = release(ARGV[5 + i], KEYS[2 + i], now)
  if record then
    record[5] = now
    gone[#gone + 1] = { i, unpack(record) }
  end
end
return gone
