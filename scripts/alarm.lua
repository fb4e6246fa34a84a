-- An alarm with a memory: it counts how often the level was too high, and says for how long.
-- `script.alarms`, `script.seconds` and `script.word` are keys of the panel that uses it.

local NAMES = table.freeze({ [0] = "all is well", "once", "twice", "three times" })

--- How often, in words.
function times_in_words(count: number): string
    return NAMES[math.floor(count)] or string.format("%d times", count)
end

function on_event(name: string, event: Event)
    if name == "trigger_activated" and event.id == "too_high" then
        state.alarms = (state.alarms or 0) + 1
        state.since = event.tick
        set("alarms", state.alarms)
        start("flash")
        signal("alarm", { count = state.alarms })
    elseif name == "trigger_deactivated" and event.id == "too_high" then
        state.since = nil
        set("seconds", 0)
        stop("flash")
    end
end

function on_tick(n: number)
    -- Once a second is enough for a number of seconds.
    if state.since and n % fps() == 0 then
        set("seconds", math.floor((n - state.since) / fps()))
    end
end
