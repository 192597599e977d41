-- May this call be made now? `Lane::enter` of `domain::providers::lane`, for all processes.
-- KEYS: state of the lane, its places.
-- ARGV: 1 caller, 2 reserved moment or 0, 3 tokens, 4 patience, 5 most calls at once, 6 interval
-- and 7 slack of calls, 8 and 9 of tokens (interval 0: no limit), 10 lease, 11 how long this process
-- knows the lane to be parked or 0, 12 that moment as it was named, 13 whether it is a quota, 14 the
-- moment by the server's clock or 0 if it was never confirmed, 15 the constants, 16 the time instead of
-- the server's or an empty text.
local state, places, caller = KEYS[1], KEYS[2], ARGV[1]
local reserved, tokens, patience = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local most, lease = tonumber(ARGV[5]), tonumber(ARGV[10])
local FAILURES, PROBE, STALE, INITIAL = unpack(cjson.decode(ARGV[15]))
local now = tonumber(ARGV[16])
if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000 + time[2] / 1000
end
-- By how much a clock may seem off because an answer was long under way.
local CLOCKS = 10000
local function text(number) return string.format('%.17g', number) end

local has = redis.call('HMGET', state, 'parked', 'named', 'quota', 'shut', 'failures', 'limit', 'call', 'token',
    'complaint', 'says')
local parked, named, quota = tonumber(has[1]) or 0, has[2] or '0', has[3] or '0'
local shut, failures = tonumber(has[4]) or 0, tonumber(has[5]) or 0
local limit = tonumber(has[6]) or 0
local next_call, next_token = tonumber(has[7]) or 0, tonumber(has[8]) or 0
if limit <= 0 then limit = INITIAL end
limit = math.max(1, math.min(limit, most))

-- What this process was told and the server has forgotten, every process is to know again: that very
-- moment, since a wait that was counted from an answer would put it off at every question. The wait counts
-- for a time that the server never confirmed, and if another server with another clock has taken over.
local wait_known, known = tonumber(ARGV[11]), tonumber(ARGV[14])
if wait_known > 0 then
    local is_told = parked > now and tonumber(named) == tonumber(ARGV[12])
    if known <= 0 or math.abs(known - now - wait_known) > CLOCKS then known = is_told and 0 or now + wait_known end
    if known > parked then
        parked, named, quota = known, ARGV[12], ARGV[13]
        redis.call('HSET', state, 'parked', text(parked), 'named', named, 'quota', quota)
        redis.call('PEXPIRE', state, math.ceil(math.max(86400000, parked - now + 3600000)))
    end
end

redis.call('ZREMRANGEBYSCORE', places, '-inf', text(now))
local function answer(verdict, wait, at, why, says)
    return {verdict, text(wait), text(at), why, says, text(limit), tostring(redis.call('ZCARD', places)),
        text(parked > now and parked - now or 0), text(parked), named, quota}
end
local function closed(wait, why, says)
    redis.call('ZREM', places, caller)
    if wait > patience then return answer('refused', wait, 0, why, says) end
    return answer('closed', wait, 0, why, says)
end

if parked > now then return closed(parked - now, 'parked', '') end
if failures >= FAILURES and shut > now then return closed(shut - now, has[9] or 'failing', has[10] or '') end
local inside = redis.call('ZSCORE', places, caller)
if not inside and redis.call('ZCARD', places) >= math.floor(limit) then return answer('full', 0, 0, '', '') end

local at = reserved
if not (inside and at > 0 and at + STALE >= now) then
    local call_interval, call_slack = tonumber(ARGV[6]), tonumber(ARGV[7])
    local token_interval, token_slack = tonumber(ARGV[8]), tonumber(ARGV[9])
    at = now
    if call_interval > 0 then at = math.max(at, next_call - call_slack) end
    if token_interval > 0 then at = math.max(at, next_token - token_slack) end
    if at - now > patience then
        redis.call('ZREM', places, caller)
        return answer('refused', at - now, 0, 'paced', '')
    end
    if call_interval > 0 then
        redis.call('HSET', state, 'call', text(math.max(next_call, at) + call_interval))
    end
    if token_interval > 0 then
        redis.call('HSET', state, 'token', text(math.max(next_token, at) + tokens * token_interval))
    end
    if call_interval > 0 or token_interval > 0 then
        redis.call('PEXPIRE', state, math.ceil(math.max(86400000, at - now + 3600000)))
    end
end

local wait = math.max(0, at - now)
redis.call('ZADD', places, text(now + wait + lease), caller)
redis.call('PEXPIRE', places, math.ceil(wait + 2 * lease))
if wait > 0 then return answer('reserved', wait, at, '', '') end
if failures >= FAILURES then redis.call('HSET', state, 'shut', text(now + PROBE)) end
return answer('go', 0, now, '', '')
