-- Rates of data as people say them, and where they are going.

local UNITS = table.freeze({ "B/s", "kB/s", "MB/s", "GB/s", "TB/s" })

--- A rate in bytes a second with three digits and its unit: 1536 is "1.54 kB/s".
function human_rate(bytes: number): string
    local unit = 1
    while math.abs(bytes) >= 999.5 and unit < #UNITS do
        bytes /= 1000
        unit += 1
    end
    local digits = if unit == 1 or math.abs(bytes) >= 99.95 then 0 elseif math.abs(bytes) >= 9.995 then 1 else 2
    return string.format("%." .. digits .. "f %s", bytes, UNITS[unit])
end

--- Whether a value rises or falls: an arrow, where a change below a tenth counts for nothing.
function trend(now: number, before: number): string
    local change = now - before
    local noise = math.max(math.abs(before), 1) / 10
    if math.abs(change) < noise then
        return "→"
    end
    return if change > 0 then "↑" else "↓"
end

--- How full a line is, from 0 to 100, on a scale in which each tenfold counts the same.
function line_load(bytes: number, capacity: number?): number
    local full = capacity or 125e6
    if bytes <= 1 then
        return 0
    end
    return math.clamp(100 * math.log(bytes) / math.log(full), 0, 100)
end

--- A sentence about both directions, such as "down 12.5 kB/s, mostly quiet".
function traffic_note(down: number, up: number): string
    local sum = down + up
    if sum < 2000 then
        return "quiet"
    end
    local busy = if down > 3 * up then "down" elseif up > 3 * down then "up" else "both ways"
    return busy .. " " .. human_rate(sum)
end
