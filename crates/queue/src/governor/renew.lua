-- Keeps a place for another lease, also on a server that has forgotten it.
-- KEYS: the places. ARGV: caller, lease.
local time, lease = redis.call('TIME'), tonumber(ARGV[2])
local until_then = string.format('%.17g', time[1] * 1000 + time[2] / 1000 + lease)
redis.call('ZADD', KEYS[1], until_then, ARGV[1])
redis.call('PEXPIRE', KEYS[1], math.ceil(2 * lease))
