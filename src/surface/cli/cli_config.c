/* cli_config.c - `thalweg config`: the configuration keys with type, default and meaning, from the table that a run is checked
 * against. docs/reference/configuration.md is written from the same table. */
#include "surface/cli/cli.h"

#include "control/config.h"
#include "surface/cli/program.h"

#include <stdio.h>
#include <string.h>

static void say_key(const struct cli *cli, const struct option_def *d)
{
    char text[1024];

    snprintf(text, sizeof text, "%s\n    %s; %s%s\n    %s\n", d->key,
             d->kind == OPT_ENUM ? d->choices : option_kind_name(d->kind), d->fallback != NULL ? "default " : "no default",
             d->fallback != NULL ? d->fallback : "", d->doc);
    program_say(cli->sys, 1, text);
}

static int run_config(const struct cli *cli, int argc, char **argv)
{
    const char *word = argc > 0 ? argv[0] : "";
    char text[256];
    uint32_t count = 0;

    if (argc > 1) {
        program_say(cli->sys, 2, "thalweg config: it takes one word at most; `thalweg config --help` shows an example\n");
        return 1;
    }
    for (const struct option_def *d = config_defs; d->key != NULL; d++) {
        if (strstr(d->key, word) == NULL && strstr(d->doc, word) == NULL) continue;
        say_key(cli, d);
        count++;
    }
    if (count > 0) return 0;
    snprintf(text, sizeof text, "thalweg config: no key has '%.100s' in its name or meaning; without a word all are listed\n",
             word);
    program_say(cli->sys, 2, text);
    return 1;
}

const struct cli_verb cli_config = {
    .name = "config",
    .arguments = "[WORD]",
    .doc = "list the configuration keys",
    .help = "Each key with type, default and meaning; with WORD those that have it in their name or meaning. A key is set by\n"
            "`-D KEY=VALUE`, in a YAML file (`--config FILE`), or by the program (tw_set).\n"
            "\n"
            "Example:\n"
            "  thalweg config parallelism\n",
    .run = run_config,
};
