-- Sets the states of agents in one channel, of those that a lease holds there.
-- KEYS[1..2] as in leases.lua  KEYS[2+i] presence hash of agent i
-- ARGV[1..5] as in leases.lua, then per agent: agentId, status, customStatus, avatar ('' = null)
-- Output: {i, agentId, status, customStatus, avatar, lastSeen} of each that changed
mend()
local changed = {}
for i = 1, #KEYS - 2 do
  local at, hash = 6 + (i - 1) * 4, KEYS[2 + i]
  local agent, new = ARGV[at], { ARGV[at + 1], ARGV[at + 2], ARGV[at + 3] }
  if heldUntil(agent, goneAt) then
    local old = readState(hash)
    writeState(hash, agent, new)
    if not same(old, new) then changed[#changed + 1] = { i, agent, new[1], new[2], new[3], now } end
  end
end
return changed
