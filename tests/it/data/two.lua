--- Two.
function two(): number
    return 2
end
