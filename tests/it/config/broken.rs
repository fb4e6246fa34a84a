//! Broken configurations: each kind of broken line of every section. What users read of them is in
//! `snapshots/it__config__broken.snap`.

/// A name and the lines that are at fault. [`complete`] adds what every configuration needs.
pub(super) const CASES: &[(&str, &str)] = &[
    // The file itself.
    ("syntax: a value is missing", "version = 1\n[display]\nfps =\n"),
    ("syntax: a quote is missing", "version = 1\n[display]\nbackground = \"#000\n"),
    ("syntax: two at once", "version = 1\n[display\nfps = 30\n[source.a]\nkind = = 3\n"),
    ("syntax: a key twice", "version = 1\n[display]\nfps = 30\nfps = 60\n"),
    ("syntax: a section twice", "version = 1\n[display]\nfps = 30\n[display]\nseed = 1\n"),
    ("syntax: a word without quotes", "[source.a]\nkind = system\n"),
    ("version is missing", "# version\n"),
    ("version is unknown", "version = 2\n"),
    ("a section of a later version", "[scripts]\nfiles = [\"a.lua\"]\n"),
    ("supervision: a group's name is misspelt", "[supervision.source]\nrestarts = 3\n"),
    ("supervision: an unknown word", "[supervision.sources]\nrestart = \"always\"\n"),
    ("supervision: a key that the core has not", "[supervision.core]\nrestart = \"transient\"\n"),
    ("supervision: a period without a number", "[supervision.http]\nperiod = \"10s\"\n"),
    ("supervision: too many restarts", "[supervision.core]\nrestarts = 1_001\n"),
    ("supervision: too short a silence", "[supervision.writer]\nhang_after = \"99ms\"\n"),
    ("supervision: too long a time", "[supervision.writer]\nshutdown = \"61m\"\n"),
    ("supervision: back-off the wrong way round", "[supervision.core]\nbackoff = { base = \"2s\" }\n"),
    ("supervision: too many threads", "[supervision]\nabandoned_max = 65\n"),
    (
        "supervision: of a source",
        "[source.a]\nkind = \"time\"\nhang_after = \"1ms\"\ngive_up_after = \"0s\"\n",
    ),
    ("a section's name is misspelt", "[dispaly]\nfps = 30\n"),
    ("a section is no table", "display = 5\n"),
    // [display]
    ("display: unknown key", "[display]\nfsp = 30\n"),
    ("display: unlike any key", "[display]\nbrightness = 30\n"),
    ("display: wrong type", "[display]\nfps = \"30\"\n"),
    ("display: a fraction", "[display]\nfps = 59.94\n"),
    ("display: too fast", "[display]\nfps = 1001\n"),
    ("display: a negative seed", "[display]\nseed = -1\n"),
    ("display: a number beyond all types", "[display]\nseed = 99999999999999999999\n"),
    ("display: one side", "[display]\nsize = [160]\n"),
    ("display: a side is too long", "[display]\nsize = [160, 2000]\n"),
    ("display: a size as text", "[display]\nsize = \"160x128\"\n"),
    ("display: no colour", "[display]\nbackground = \"#12345\"\n"),
    ("display: a colour's name is misspelt", "[display]\nbackground = \"balck\"\n"),
    ("display: unknown theme", "[display]\ntheme = \"drak\"\n[theme.dark]\naccent = \"#0ff\"\n"),
    // [theme]
    ("theme: which one", "[theme.dark]\naccent = \"#0ff\"\n[theme.light]\naccent = \"#00f\"\n"),
    ("theme: no colour", "[theme.dark]\naccent = \"cyan-ish\"\n"),
    ("theme: a number", "[theme.dark]\naccent = 0xff00ff\n"),
    ("theme: a bad name", "[theme.dark]\n\"main colour\" = \"#0ff\"\n"),
    ("display: a device without a name", "[display]\ndevice = \"\"\n"),
    (
        "source: wrong, so that its keys are not known",
        "[source.g]\nkind = \"generator\"\n[value]\na = \"g.value + g.other\"\nb = \"p.t == 'x'\"\n[keys]\n\"p.t\" = {}\n[source.p]\nkind = \"push\"\n",
    ),
    // [template]
    ("template: no text", "[template.a]\n"),
    ("template: unknown key", "[template.a]\ntext = \"\"\nformat = \".1f\"\n"),
    ("template: nothing includes it", "[template.a]\ntext = \"A\"\n"),
    (
        "template: a cycle",
        "[template.a]\ntext = \"A {include(b)}\"\n[template.b]\ntext = \"{include(c)}\"\n[template.c]\ntext = \"C {include(a)}\"\n",
    ),
    (
        "template: an unknown name",
        "[template.header]\ntext = \"{include(fotter)}\"\n[template.footer]\ntext = \"{include(header)}\"\n",
    ),
    (
        "template: wrong within, told once in its own text",
        "[template.a]\ntext = \"{sqr(4):.1f}\"\n[page.main]\nwidgets = [\n  { kind = \"text\", at = [0, 0], size = [9, 9], text = \"{include(a)}\" },\n  { kind = \"text\", at = [0, 0], size = [9, 9], text = \"{include(a)}{include(b)}\" },\n]\n[template.b]\n",
    ),
    (
        "template: an include that is more than a name",
        "[template.a]\ntext = \"{include(a, 1)}{include()}{include(b):>5}{if(1, include(b), '')}\"\n[template.b]\ntext = \"\"\n",
    ),
    // Colours that follow data
    (
        "color: a formula that gives a number",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"\", color = \"{tick + 1}\" }]\n",
    ),
    (
        "color: texts that are no colours",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"\", color = \"{if(tick > 1, 'ok', 'gren')}\" }]\n",
    ),
    (
        "color: more than a formula",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"\", color = \"#{tick}\" }, { kind = \"text\", at = [0, 0], size = [9, 9], text = \"\", color = \"{'red'} {'blue'}\" }]\n",
    ),
    (
        "color: a formula without braces",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"\", color = \"mix('red', 'blue', 0.5)\" }]\n",
    ),
    ("color: a formula where none can be", "[display]\nbackground = \"{'red'}\"\n"),
    // [source]
    ("source: no kind", "[source.a]\nevery = \"1s\"\n"),
    ("source: unknown kind", "[source.a]\nkind = \"sytem\"\n"),
    ("source: a kind of a later version", "[source.a]\nkind = \"mqtt\"\n"),
    ("source: another kind's key", "[source.a]\nkind = \"system\"\nshape = \"sine\"\n"),
    ("source: a bad name", "[source.\"living room\"]\nkind = \"system\"\n"),
    ("source: a name with a hyphen", "[source.living-room]\nkind = \"system\"\n"),
    ("source: a time without a unit", "[source.a]\nkind = \"system\"\nevery = \"5\"\n"),
    ("source: a time as a number", "[source.a]\nkind = \"system\"\nevery = 5\n"),
    ("source: an unknown unit", "[source.a]\nkind = \"system\"\nevery = \"5 seconds\"\n"),
    ("source: no time at all", "[source.a]\nkind = \"system\"\nevery = \"0s\"\n"),
    ("source: too often", "[source.a]\nkind = \"system\"\nevery = \"1ms\"\n"),
    ("source: a time of ages", "[source.a]\nkind = \"system\"\nstale_after = \"9999d\"\n"),
    ("source: part of a tick", "[source.a]\nkind = \"system\"\nstale_after = \"1.5ticks\"\n"),
    ("source: an unknown policy", "[source.a]\nkind = \"system\"\non_full = \"drop\"\n"),
    ("push: made to wait", "[source.a]\nkind = \"push\"\non_full = \"block\"\n"),
    ("push: another kind's key", "[source.a]\nkind = \"push\"\nevery = \"1s\"\n"),
    ("time: no offset", "[source.a]\nkind = \"time\"\nutc_offset = \"Berlin\"\n"),
    ("generator: no shape", "[source.a]\nkind = \"generator\"\n"),
    ("generator: an unknown shape", "[source.a]\nkind = \"generator\"\nshape = \"sinus\"\n"),
    ("generator: upside down", "[source.a]\nkind = \"generator\"\nshape = \"sine\"\nmin = 5\nmax = 1\n"),
    ("generator: infinite", "[source.a]\nkind = \"generator\"\nshape = \"sine\"\nmax = inf\n"),
    ("generator: a walk's period", "[source.a]\nkind = \"generator\"\nshape = \"walk\"\nperiod = \"1s\"\n"),
    (
        "faults: no kind",
        "[source.a]\nkind = \"generator\"\nshape = \"sine\"\nfaults = [\n  { at = \"5s\" },\n]\n",
    ),
    (
        "faults: an unknown kind",
        "[source.a]\nkind = \"generator\"\nshape = \"sine\"\nfaults = [\n  { kind = \"crash\", at = \"5s\" },\n]\n",
    ),
    (
        "faults: never",
        "[source.a]\nkind = \"generator\"\nshape = \"sine\"\nfaults = [\n  { kind = \"panic\" },\n]\n",
    ),
    (
        "faults: twice",
        "[source.a]\nkind = \"generator\"\nshape = \"sine\"\nfaults = [\n  { kind = \"panic\", at = \"5s\", every = \"5s\" },\n]\n",
    ),
    (
        "faults: ever at once",
        "[source.a]\nkind = \"generator\"\nshape = \"sine\"\nfaults = [\n  { kind = \"error\", every = \"0s\" },\n]\n",
    ),
    (
        "faults: more than certain",
        "[source.a]\nkind = \"generator\"\nshape = \"sine\"\nfaults = [\n  { kind = \"garbage\", chance = 1.5 },\n]\n",
    ),
    (
        "faults: a flood without a rate",
        "[source.a]\nkind = \"generator\"\nshape = \"sine\"\nfaults = [\n  { kind = \"flood\", at = \"1s\", for = \"1s\" },\n]\n",
    ),
    (
        "faults: a flood of nothing",
        "[source.a]\nkind = \"generator\"\nshape = \"sine\"\nfaults = [\n  { kind = \"flood\", at = \"1s\", rate = 0 },\n]\n",
    ),
    (
        "faults: another kind's key",
        "[source.a]\nkind = \"generator\"\nshape = \"sine\"\nfaults = [\n  { kind = \"panic\", at = \"1s\", for = \"1s\" },\n]\n",
    ),
    ("playback: no file", "[source.a]\nkind = \"playback\"\n"),
    ("playback: not there", "[source.a]\nkind = \"playback\"\nfile = \"missing.csv\"\n"),
    ("playback: another kind of file", "[source.a]\nkind = \"playback\"\nfile = \"good.toml\"\n"),
    ("playback: standing still", "[source.a]\nkind = \"playback\"\nfile = \"recording.csv\"\nspeed = 0\n"),
    (
        "playback: a truth in quotes",
        "[source.a]\nkind = \"playback\"\nfile = \"recording.csv\"\nrepeat = \"true\"\n",
    ),
    // [keys]
    ("keys: no source", "[keys]\ntemperature = { range = [0, 40] }\n"),
    (
        "keys: an unknown source",
        "[source.sensor]\nkind = \"time\"\n[keys]\n\"senor.hour\" = { range = [0, 40] }\n",
    ),
    ("keys: without quotes", "[source.a]\nkind = \"time\"\n[keys]\na.hour = { range = [0, 12] }\n"),
    ("keys: an unknown key", "[source.a]\nkind = \"time\"\n[keys]\n\"a.hour\" = { rnage = [0, 12] }\n"),
    ("keys: a range upside down", "[source.a]\nkind = \"time\"\n[keys]\n\"a.hour\" = { range = [12, 0] }\n"),
    ("keys: another kind", "[source.a]\nkind = \"time\"\n[keys]\n\"a.hour\" = { kind = \"text\" }\n"),
    ("keys: an unknown kind", "[source.a]\nkind = \"time\"\n[keys]\n\"a.x\" = { kind = \"integer\" }\n"),
    (
        "keys: a default of another kind",
        "[source.a]\nkind = \"time\"\n[keys]\n\"a.hour\" = { default = \"noon\" }\n",
    ),
    ("keys: a default that is none", "[source.a]\nkind = \"time\"\n[keys]\n\"a.hour\" = { default = [1] }\n"),
    (
        "keys: a text's range",
        "[source.a]\nkind = \"time\"\n[keys]\n\"a.x\" = { kind = \"text\", range = [0, 1] }\n",
    ),
    // [value]
    ("value: a number", "[value]\nlimit = 80\n"),
    ("value: a bad name", "[value]\n\"too hot\" = \"1\"\n"),
    ("value: a table", "[value.hot]\nformula = \"1\"\n"),
    // [page]
    ("page: none", "version = 1\n[display]\nfps = 30\n"),
    ("page: two", "[page.other]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"\" }]\n"),
    ("page: no widgets", "[page.main]\n"),
    ("page: an empty list", "[page.main]\nwidgets = []\n"),
    ("page: a table for a list", "[page.main.widgets]\nkind = \"text\"\n"),
    // Widgets.
    ("widget: no kind", "[page.main]\nwidgets = [{ at = [0, 0], size = [9, 9] }]\n"),
    ("widget: unknown kind", "[page.main]\nwidgets = [{ kind = \"gauge\", at = [0, 0], size = [9, 9] }]\n"),
    ("widget: much is missing", "[page.main]\nwidgets = [{ kind = \"sparkline\" }]\n"),
    (
        "widget: unknown key",
        "[page.main]\nwidgets = [\n  { kind = \"text\", at = [0, 0], size = [9, 9], txt = \"a\" },\n]\n",
    ),
    (
        "widget: another kind's key",
        "[page.main]\nwidgets = [\n  { kind = \"text\", at = [0, 0], size = [9, 9], text = \"a\", value = \"1\" },\n]\n",
    ),
    (
        "widget: fractions of pixels",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0.5, 0], size = [9, 9], text = \"a\" }]\n",
    ),
    (
        "widget: no size",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [0, 9], text = \"a\" }]\n",
    ),
    (
        "widget: an unknown anchor",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], anchor = \"top-left\", text = \"a\" }]\n",
    ),
    (
        "widget: too opaque",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], opacity = 50, text = \"a\" }]\n",
    ),
    (
        "widget: off the panel",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [160, 0], size = [9, 9], text = \"a\" }]\n",
    ),
    (
        "widget: an id twice",
        "[page.main]\nwidgets = [\n  { kind = \"text\", id = \"a\", at = [0, 0], size = [9, 9], text = \"a\" },\n  { kind = \"text\", id = \"a\", at = [0, 9], size = [9, 9], text = \"b\" },\n]\n",
    ),
    (
        "widget: a bad id",
        "[page.main]\nwidgets = [{ kind = \"text\", id = \"#1\", at = [0, 0], size = [9, 9], text = \"a\" }]\n",
    ),
    (
        "text: tiny type",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"a\", font_size = 2 }]\n",
    ),
    (
        "text: unknown colour",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"a\", color = \"acent\" }]\n",
    ),
    (
        "text: a number",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], text = 42 }]\n",
    ),
    (
        "progress: upside down",
        "[page.main]\nwidgets = [{ kind = \"progress\", at = [0, 0], size = [9, 9], value = \"1\", range = [100, 0] }]\n",
    ),
    (
        "progress: levels mixed up",
        "[page.main]\nwidgets = [\n  { kind = \"progress\", at = [0, 0], size = [9, 9], value = \"1\", levels = [\n    { from = 90, color = \"critical\" },\n    { from = 70, color = \"warning\" },\n  ] },\n]\n",
    ),
    (
        "progress: a level without a colour",
        "[page.main]\nwidgets = [{ kind = \"progress\", at = [0, 0], size = [9, 9], value = \"1\", levels = [{ from = 9 }] }]\n",
    ),
    (
        "progress: an unknown easing",
        "[page.main]\nwidgets = [{ kind = \"progress\", at = [0, 0], size = [9, 9], value = \"1\", transition = { easing = \"ease-out\" } }]\n",
    ),
    (
        "sparkline: no span",
        "[page.main]\nwidgets = [{ kind = \"sparkline\", at = [0, 0], size = [9, 9], value = \"1\", span = \"0s\" }]\n",
    ),
    (
        "shape: an unknown figure",
        "[page.main]\nwidgets = [{ kind = \"shape\", at = [0, 0], size = [9, 9], figure = \"circle\" }]\n",
    ),
    (
        "shape: invisible",
        "[page.main]\nwidgets = [{ kind = \"shape\", at = [0, 0], size = [9, 9], figure = \"rectangle\" }]\n",
    ),
    (
        "shape: a round line",
        "[page.main]\nwidgets = [{ kind = \"shape\", at = [0, 0], size = [9, 9], figure = \"line\", radius = 2, fill = \"text\", stroke = { color = \"text\" } }]\n",
    ),
    // [animation]
    ("animation: no widget", "[animation.a]\nduration = \"1s\"\nto = { x = 1 }\nstart = \"load\"\n"),
    (
        "animation: unknown widget",
        "[animation.a]\nwidget = \"titel\"\nduration = \"1s\"\nto = { x = 1 }\nstart = \"load\"\n",
    ),
    (
        "animation: no time",
        "[animation.a]\nwidget = \"title\"\nduration = \"0s\"\nto = { x = 1 }\nstart = \"load\"\n",
    ),
    (
        "animation: unknown easing",
        "[animation.a]\nwidget = \"title\"\nduration = \"1s\"\neasing = \"easein\"\nto = { x = 1 }\nstart = \"load\"\n",
    ),
    (
        "animation: unknown property",
        "[animation.a]\nwidget = \"title\"\nduration = \"1s\"\nto = { z = 1 }\nstart = \"load\"\n",
    ),
    (
        "animation: too opaque",
        "[animation.a]\nwidget = \"title\"\nduration = \"1s\"\nfrom = { opacity = 1.5 }\nstart = \"load\"\n",
    ),
    (
        "animation: an unknown number of times",
        "[animation.a]\nwidget = \"title\"\nduration = \"1s\"\nto = { x = 1 }\nrepeat = \"forever\"\nstart = \"load\"\n",
    ),
    (
        "animation: no time is too few",
        "[animation.a]\nwidget = \"title\"\nduration = \"1s\"\nto = { x = 1 }\nrepeat = 0\nstart = \"load\"\n",
    ),
    (
        "animation: a list of times",
        "[animation.a]\nwidget = \"title\"\nduration = \"1s\"\nto = { x = 1 }\nrepeat = [1]\nstart = \"load\"\n",
    ),
    (
        "animation: an unknown mode",
        "[animation.a]\nwidget = \"title\"\nduration = \"1s\"\nto = { x = 1 }\nmode = \"pingpong\"\nstart = \"load\"\n",
    ),
    ("animation: never started", "[animation.a]\nwidget = \"title\"\nduration = \"1s\"\nto = { x = 1 }\n"),
    (
        "animation: nothing moves",
        "[animation.a]\nwidget = \"title\"\nduration = \"1s\"\nfrom = { opacity = 1 }\nto = { x = 0 }\nstart = \"load\"\n",
    ),
    // [[trigger]]
    ("trigger: a table for a list", "[trigger]\nname = \"a\"\n"),
    ("trigger: no condition", "[[trigger]]\nname = \"a\"\nstop = [\"b\"]\n"),
    (
        "trigger: two conditions",
        "[animation.b]\nwidget = \"title\"\nduration = \"1s\"\nto = { x = 1 }\n[[trigger]]\nname = \"a\"\nwhen = \"1\"\nsignal = \"bell\"\nstart = [\"b\"]\n",
    ),
    (
        "trigger: a signal that is no name",
        "[animation.b]\nwidget = \"title\"\nduration = \"1s\"\nto = { x = 1 }\n[[trigger]]\nname = \"a\"\nsignal = \"the bell\"\nstart = [\"b\"]\n",
    ),
    ("trigger: no action", "[[trigger]]\nname = \"a\"\nwhen = \"1\"\n"),
    (
        "trigger: unknown animation",
        "[animation.pulse]\nwidget = \"title\"\nduration = \"1s\"\nto = { x = 1 }\nstart = \"load\"\n[[trigger]]\nname = \"a\"\nwhen = \"1\"\nstart = [\"puls\"]\n",
    ),
    ("trigger: a name for a list", "[[trigger]]\nname = \"a\"\nwhen = \"1\"\nstart = \"pulse\"\n"),
    ("trigger: an empty list", "[[trigger]]\nname = \"a\"\nwhen = \"1\"\nstart = []\n"),
    (
        "trigger: a name twice",
        "[animation.b]\nwidget = \"title\"\nduration = \"1s\"\nto = { x = 1 }\n[[trigger]]\nname = \"a\"\nwhen = \"1\"\nstart = [\"b\"]\n[[trigger]]\nname = \"a\"\nwhen = \"0\"\nstop = [\"b\"]\n",
    ),
    // [[output]], [persistence], [http], [ring]
    ("output: unknown kind", "[[output]]\nkind = \"gif\"\n"),
    ("output: no file", "[[output]]\nkind = \"png\"\n"),
    ("output: an empty name", "[[output]]\nkind = \"png\"\nfile = \"\"\n"),
    ("output: twice", "[[output]]\nkind = \"web\"\n[[output]]\nkind = \"web\"\n"),
    ("persistence: a yes", "[persistence]\nenabled = \"yes\"\n"),
    ("persistence: unknown key", "[persistence]\npath = \"state.db\"\n"),
    ("http: open to all", "[http]\nlisten = \"0.0.0.0:9185\"\n"),
    ("http: open to all, with a token", "[http]\nlisten = \"0.0.0.0:9185\"\ntoken = \"abc\"\n"),
    ("http: a secret in two places", "[http]\ntoken = { env = \"A\", file = \"b\" }\n"),
    ("http: a secret in no place", "[http]\ntoken = {}\n"),
    ("http: a host with a port", "[http]\nhosts = [\"panel.local:80\"]\n"),
    ("http: no address", "[http]\nlisten = \"localhost:9185\"\n"),
    ("http: a port alone", "[http]\nlisten = 9185\n"),
    ("ring: nothing", "[ring]\nsamples = 0\n"),
    ("ring: fewer keys than sources send", "[source.a]\nkind = \"time\"\n[ring]\nkeys = 2\n"),
    // Formulas.
    ("formula: unknown variable", "[source.system]\nkind = \"system\"\n[value]\nhot = \"cpuu > 80\"\n"),
    (
        "formula: unknown key of a source",
        "[source.clock]\nkind = \"time\"\n[value]\na = \"clock.huor + 1\"\n",
    ),
    ("formula: unknown function", "[value]\na = \"1 + sqr(2)\"\n"),
    ("formula: two operators", "[value]\na = \"1 + * 2\"\n"),
    ("formula: no end", "[value]\na = \"1 +\"\n"),
    ("formula: a bracket too few", "[value]\na = \"max(1, (2 + 3)\"\n"),
    ("formula: a bracket too many", "[value]\na = \"(1 + 2))\"\n"),
    ("formula: two numbers", "[value]\na = \"1 2\"\n"),
    ("formula: too few arguments", "[value]\na = \"if(1, 2)\"\n"),
    ("formula: too many arguments", "[value]\na = \"sqrt(1, 2)\"\n"),
    ("formula: chained comparisons", "[value]\na = \"1 < 2 < 3\"\n"),
    ("formula: an assignment", "[value]\na = \"b = 2\"\n"),
    ("formula: an unknown character", "[value]\na = \"1 § 2\"\n"),
    ("formula: an open text", "[value]\na = 'fmt(\"x'\n"),
    ("formula: a text in arithmetic", "[value]\na = \"'x' * 2\"\n"),
    ("formula: a division by zero", "[value]\na = \"1 / 0\"\n"),
    ("formula: a cycle", "[value]\na = \"b + 1\"\nb = \"c * 2\"\nc = \"a\"\n"),
    ("formula: itself", "[value]\na = \"a + 1\"\n"),
    (
        "formula: fractions compared",
        "[source.g]\nkind = \"generator\"\nshape = \"sine\"\n[value]\na = \"value * 0.1 == 0.3\"\n",
    ),
    (
        "formula: two sources, one bare name",
        "[source.a]\nkind = \"generator\"\nshape = \"sine\"\n[source.b]\nkind = \"generator\"\nshape = \"saw\"\n[value]\nx = \"value\"\n",
    ),
    ("formula: behind escapes", "[value]\na = \"'\\u00e9\\t' .. nope\"\n"),
    ("formula: on several lines", "[value]\na = \"\"\"\n1 +\n  nope\n\"\"\"\n"),
    ("formula: several mistakes", "[value]\na = \"foo + bar(1) + 'x' * 2\"\n"),
    (
        "formula: a text as a length",
        "[source.clock]\nkind = \"time\"\n[page.main]\nwidgets = [{ kind = \"progress\", at = [0, 0], size = [9, 9], value = \"clock.month_name\" }]\n",
    ),
    (
        "formula: a text as a condition",
        "[source.clock]\nkind = \"time\"\n[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"a\", visible = \"clock.month_name\" }]\n",
    ),
    (
        "formula: a broken condition",
        "[animation.a]\nwidget = \"title\"\nduration = \"1s\"\nto = { x = 1 }\n[[trigger]]\nname = \"a\"\nwhen = \"1 >\"\nstart = [\"a\"]\n",
    ),
    // Templates.
    (
        "template: an open brace",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"CPU {1 + 2\" }]\n",
    ),
    (
        "template: a lone brace",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"CPU } 5\" }]\n",
    ),
    (
        "template: nothing in it",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"CPU {}\" }]\n",
    ),
    (
        "template: an unknown format",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"CPU {1:.2q}\" }]\n",
    ),
    (
        "template: a broken formula",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"CPU {1 +} and {nope:.1f}\" }]\n",
    ),
    (
        "template: behind escapes",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"\\u00b0C {{\\t{nope}\" }]\n",
    ),
    (
        "template: a number's format for a text",
        "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"{'x':.1f}\" }]\n",
    ),
    // Keys and values that are not as they seem.
    (
        "keys: not declared",
        "[source.room]\nkind = \"push\"\n[keys]\n\"room.temperature\" = {}\n[value]\na = \"room.co2 + room.temprature\"\n",
    ),
    ("value: nothing needs it", "[value]\na = \"1\"\nb = \"a + 1\"\n_c = \"2\"\n"),
    // Several at once, of several stages, in the order of the file.
    (
        "everything at once",
        "version = 1\n[display]\nfsp = 30\nbackground = \"blakc\"\n[source.clock]\nkind = \"time\"\nutc_offset = \"2\"\n[animation.a]\nwidget = \"nobody\"\nduration = \"1\"\n[[output]]\nkind = \"png\"\n",
    ),
];

/// The case's lines with a version before them and a page behind them, unless they have their own.
pub(super) fn complete(name: &str, lines: &str) -> String {
    let version = if lines.contains("version") { "" } else { "version = 1\n" };
    let page = if lines.contains("[page.main") || name == "page: none" { "" } else { PAGE };
    format!("{version}{lines}{page}")
}

const PAGE: &str = "[page.main]\nwidgets = [{ kind = \"text\", id = \"title\", at = [8, 8], size = [99, 20], text = \"Title\" }]\n";
