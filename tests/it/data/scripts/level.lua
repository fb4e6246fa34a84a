--- How full something is, in words.
function level_word(percent: number): string
    return if percent > 90 then "full" elseif percent > 20 then "fine" else "low"
end
