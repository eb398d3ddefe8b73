#!/bin/sh
# test_arguments.sh - verbs, misspelt arguments, settings from the command line and from files: message and exit status.
. "$(dirname "$0")/common.sh"

compiled="; a job is compiled with \`cc -shared -fPIC job.c -o job.so\` and has a TW_JOB; flights of your own are read with --input FILE.csv"

expect 'verb' 1 '' "thalweg: there is no verb 'rnu', did you mean 'run'?; \`thalweg --help\` lists them" "$thalweg" rnu
expect 'no verb' 1 '' '*' "$thalweg"
expect 'help' 0 '*' '' "$thalweg" --help
expect 'short help' 0 "$("$thalweg" --help)" '' "$thalweg" -h
expect 'help of run' 0 '*' '' "$thalweg" run --help
expect 'flag' 1 '' "thalweg run: there is no argument '--paralelism'; did you mean '--parallelism'? What is meant for the job goes behind \`--\`" \
    "$thalweg" run --paralelism 2
expect 'flag of the job' 1 '' "thalweg run: unknown argument '--inptu'; write --input FILE.csv or --on-error fail|skip|dead-letter" "$thalweg" run --inptu x
expect 'parallelism 0' 1 '' "thalweg run: --parallelism: configuration 'parallelism.default' is 0; it must be 1 to 4096" "$thalweg" run --parallelism 0
expect 'absurd parallelism' 1 '' "thalweg run: --parallelism: configuration 'parallelism.default' is 99999999; it must be 1 to 4096" \
    "$thalweg" run --parallelism 99999999
expect 'unknown key' 1 '' "thalweg run: -D: configuration has no option 'paralelism.default'; did you mean 'parallelism.default'?" \
    "$thalweg" run -D paralelism.default=2
expect 'no job' 1 '' "thalweg run: cannot read 'nosuch.so': no such file or folder$compiled" "$thalweg" run nosuch.so

config() { # TEXT ERROR
    printf "$1" > c.yaml
    expect "config $1" 1 '' "thalweg run: $2" "$thalweg" run --config c.yaml
}
config 'parallelism.default: 1\n\nparalelism:\n  default: 2\n' \
    "c.yaml:4:3: configuration has no option 'paralelism.default'; did you mean 'parallelism.default'?"
config 'parallelism:\n  default: many\n' "c.yaml:2:3: option 'parallelism.default' of configuration is 'many', but must be a whole number"
config 'parallelism:\n  default: 1\nparallelism.default: 2\n' "c.yaml:3:1: 'parallelism.default' is given twice; first at c.yaml:2:3"
config 'execution.runtime-mode: BATCH\n' "c.yaml:1:1: option 'execution.runtime-mode' of configuration is 'BATCH', but must be one of STREAMING"
config 'state:\n  backend.type: heap\n' "c.yaml:2:3: there is no state backend 'heap' (state.backend.type); it is 'hashmap' or 'rocksdb'"
config 'parallelism.default: 0\n' "c.yaml:1:1: configuration 'parallelism.default' is 0; it must be 1 to 4096"
expect 'backend' 1 '' "thalweg run: -D: there is no state backend 'heap' (state.backend.type); it is 'hashmap' or 'rocksdb'" "$thalweg" run -D state.backend.type=heap
expect 'no config' 1 '' "thalweg run: cannot open 'none.yaml': no such file; check the path; it starts at the folder in which the program runs" "$thalweg" run --config none.yaml

# ---- the job is the first argument that is not the engine's; the engine's may stand on both sides of it
cat > args.c <<'END'
#include <thalweg/thalweg.h>
#include <stdio.h>
TW_JOB(env, argc, argv)
{
    (void)env;
    for (int i = 1; i < argc; i++) printf("%s%c", argv[i], i + 1 < argc ? ' ' : '\n');
    printf("quiet %d\n", tw_is_quiet(env));
    return 0;
}
END
$cc -shared -fPIC -I "$source/include" args.c -o args.so || exit 1
heard() { # WHAT ARGUMENTS-OF-THE-JOB QUIET ARGUMENT...
    said=$2 quiet=$3 what=$1
    shift 3
    expect "$what" 0 "$said
quiet $quiet" '' "$thalweg" run "$@"
}
heard 'options behind the job' 'a --own b' 1 args.so a --quiet --own -p 2 b
heard 'options before the job' 'a --own' 1 --quiet args.so a --own
heard 'options with values before the job' 'a' 0 -p 2 --parallelism=3 -D pipeline.name=x -Dpipeline.name=y args.so a
heard 'options on both sides' 'a --quiet' 1 --parallelism 2 args.so --quiet a -- --quiet
expect 'demo, options before' 0 "$(cat "$source/examples/flights.expected")" '' "$thalweg" run -p 2 --demo --quiet
expect 'no job behind the options' 1 '' "thalweg run: cannot read 'nosuch.so': no such file or folder$compiled" \
    "$thalweg" run --quiet -p 2 nosuch.so
expect 'no value' 1 '' 'thalweg run: -p needs a value behind it' "$thalweg" run --quiet -p
expect 'help, options before' 0 "$("$thalweg" run args.so --help)" '' "$thalweg" run --help args.so
grep -q '^  thalweg run args.so --parallelism 2 --quiet$' out.txt || fail "help of a job has no example: $(cat out.txt)"
echo x > x.csv
expect 'no shared object' 1 '' "thalweg run: cannot load 'x.csv': ./x.csv: file too short$compiled" "$thalweg" run x.csv
for verb in $("$thalweg" --help | sed -n 's/^  \([a-z-]\{1,13\}\)  .*/\1/p'); do
    expect "help of $verb" 0 '*' '' "$thalweg" "$verb" --help
    grep -q "^  thalweg $verb" out.txt || fail "help of $verb has no example: $(cat out.txt)"
done
expect 'config, a word' 0 'parallelism.default
    integer; default 1
    parallelism of operators that do not say otherwise' '' "$thalweg" config parallelism.d
expect 'config' 0 '*' '' "$thalweg" config
same 'config: keys' "$(sed -n 's/^| `\([^`*]*\)` |.*/\1/p' "$source/docs/reference/configuration.md")" "$(grep -v '^ ' out.txt)"
expect 'config, nothing' 1 '' "thalweg config: no key has 'xyzzy' in its name or meaning; without a word all are listed" \
    "$thalweg" config xyzzy
expect 'plan' 1 '' "thalweg run: there is no argument '--plan=jsn'; did you mean '--plan=json'? What is meant for the job goes behind \`--\`" \
    "$thalweg" run --plan=jsn
expect 'quiet with a value' 1 '' "thalweg run: there is no argument '--quiet=1'; did you mean '--quiet'? What is meant for the job goes behind \`--\`" \
    "$thalweg" run --quiet=1

printf '#include <thalweg/thalweg.h>\nint not_a_job;\n' > none.c
$cc -shared -fPIC -I "$source/include" none.c -o none.so
expect 'no TW_JOB' 1 '' "thalweg run: './none.so' holds no job: it has no TW_JOB$compiled" "$thalweg" run ./none.so
cat > old.c <<'END'
#include <thalweg/thalweg.h>
static int job(struct tw_env *env, int argc, char **argv) { (void)env, (void)argc, (void)argv; return 0; }
const struct tw_plugin tw_plugin = {.abi = TW_ABI + 1, .job = job};
END
$cc -shared -fPIC -I "$source/include" old.c -o old.so
grep -q 'TW_ABI = 1' "$source/include/thalweg/function.h" && expect 'another ABI' 1 '' \
    "./old.so: the job was compiled against version 2 of the headers, this is version 1; compile it anew" "$thalweg" run ./old.so
finish
