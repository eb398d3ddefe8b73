#!/bin/sh
# test_arguments.sh - verbs, misspelt arguments, settings from the command line and from files: message and exit status.
. "$(dirname "$0")/common.sh"

expect 'verb' 1 '' "thalweg: there is no verb 'rnu', did you mean 'run'?; \`thalweg --help\` lists them" "$thalweg" rnu
expect 'no verb' 1 '' '*' "$thalweg"
expect 'help' 0 '*' '' "$thalweg" --help
expect 'help of run' 0 '*' '' "$thalweg" run --help
expect 'flag' 1 '' "thalweg run: there is no argument '--paralelism'; did you mean '--parallelism'? What is meant for the job goes behind \`--\`" \
    "$thalweg" run --paralelism 2
expect 'flag of the job' 1 '' "thalweg run: unknown argument '--inptu'; write --input FILE.csv or --on-error fail|skip|dead-letter" "$thalweg" run --inptu x
expect 'parallelism 0' 1 '' "thalweg run: --parallelism: configuration 'parallelism.default' is 0; it must be 1 to 4096" "$thalweg" run --parallelism 0
expect 'absurd parallelism' 1 '' "thalweg run: --parallelism: configuration 'parallelism.default' is 99999999; it must be 1 to 4096" \
    "$thalweg" run --parallelism 99999999
expect 'unknown key' 1 '' "thalweg run: -D: configuration has no option 'paralelism.default'; did you mean 'parallelism.default'?" \
    "$thalweg" run -D paralelism.default=2
expect 'no job' 1 '' "thalweg run: cannot read 'nosuch.so': no such file or folder" "$thalweg" run nosuch.so

config() { # TEXT ERROR
    printf "$1" > c.yaml
    expect "config $1" 1 '' "thalweg run: $2" "$thalweg" run --config c.yaml
}
config 'parallelism.default: 1\n\nparalelism:\n  default: 2\n' \
    "c.yaml:4:3: configuration has no option 'paralelism.default'; did you mean 'parallelism.default'?"
config 'parallelism:\n  default: many\n' "c.yaml:2:3: option 'parallelism.default' of configuration is 'many', but must be a whole number"
config 'parallelism:\n  default: 1\nparallelism.default: 2\n' "c.yaml:3:1: 'parallelism.default' is given twice; first at c.yaml:2:3"
config 'execution.runtime-mode: BATCH\n' "c.yaml:1:1: option 'execution.runtime-mode' of configuration is 'BATCH', but must be one of STREAMING"
config 'state:\n  backend.type: heap\n' "c.yaml:2:3: there is no state backend 'heap' (state.backend.type)"
config 'parallelism.default: 0\n' "c.yaml:1:1: configuration 'parallelism.default' is 0; it must be 1 to 4096"
expect 'backend' 1 '' "thalweg run: -D: there is no state backend 'heap' (state.backend.type)" "$thalweg" run -D state.backend.type=heap
expect 'no config' 1 '' "thalweg run: cannot open 'none.yaml': no such file" "$thalweg" run --config none.yaml

printf '#include <thalweg/thalweg.h>\nint not_a_job;\n' > none.c
$cc -shared -fPIC -I "$source/include" none.c -o none.so
expect 'no TW_JOB' 1 '' "thalweg run: './none.so' holds no job: it has no TW_JOB" "$thalweg" run ./none.so
cat > old.c <<'END'
#include <thalweg/thalweg.h>
static int job(struct tw_env *env, int argc, char **argv) { (void)env, (void)argc, (void)argv; return 0; }
const struct tw_plugin tw_plugin = {.abi = TW_ABI + 1, .job = job};
END
$cc -shared -fPIC -I "$source/include" old.c -o old.so
grep -q 'TW_ABI = 1' "$source/include/thalweg/function.h" && expect 'another ABI' 1 '' \
    "./old.so: the job was compiled against version 2 of the headers, this is version 1; compile it anew" "$thalweg" run ./old.so
finish
