-- How a room feels: what follows from its temperature and its humidity.

--- The temperature in degrees Celsius at which the air's water condenses, by Magnus's formula.
function dew_point(celsius: number, humidity: number): number?
    if humidity <= 0 then
        return nil
    end
    local a, b = 17.62, 243.12
    local gamma = math.log(math.min(humidity, 100) / 100) + a * celsius / (b + celsius)
    return b * gamma / (a - gamma)
end

--- Grams of water in a cubic metre of air.
function absolute_humidity(celsius: number, humidity: number): number
    local saturation = 6.112 * math.exp(17.62 * celsius / (243.12 + celsius))
    return 216.7 * saturation * humidity / 100 / (273.15 + celsius)
end

--- How warm it feels, in degrees Celsius: Steadman's apparent temperature in the shade without wind.
function feels_like(celsius: number, humidity: number): number
    local pressure = humidity / 100 * 6.105 * math.exp(17.27 * celsius / (237.7 + celsius))
    return celsius + 0.33 * pressure - 4
end

--- What to say of it, in a word or two.
function comfort(celsius: number, humidity: number): string
    local dew = dew_point(celsius, humidity) or -20
    if celsius < 18 then
        return if dew > 12 then "damp, cold" else "cold"
    elseif celsius > 26 then
        return if dew > 18 then "close" else "hot"
    elseif humidity < 35 then
        return "dry"
    elseif dew > 16 then
        return "muggy"
    end
    return "pleasant"
end

--- Which of five grades of comfort it is: 1 is much too cold, 3 is right, 5 is much too warm.
function comfort_grade(celsius: number, humidity: number): number
    local felt = feels_like(celsius, humidity)
    local grade = 1
    for _, bound in { 14, 19, 25, 29 } do
        if felt >= bound then
            grade += 1
        end
    end
    return grade
end
