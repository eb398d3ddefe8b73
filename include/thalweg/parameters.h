/* parameters.h - what a program was started with, by names: Flink's ParameterTool.
 *
 *     TW_JOB(env, argc, argv)
 *     {
 *         struct tw_parameters *p = tw_parameters_from_args(env, argc, argv);     // --input bids.csv --limit 10 --verbose
 *         p = tw_parameters_merge(tw_parameters_from_file(env, "job.properties"), p);  // the second one wins
 *         const char *input = tw_required(p, "input");
 *         int64_t limit = tw_parameter_long(p, "limit", 100);
 *         if (tw_has_parameter(p, "verbose")) ...
 *         tw_set_job_parameters(p);                                               // functions: tw_job_parameter(cx, "input")
 *
 * As of all calls that build a job the first mistake is kept, with the source line, and told by tw_execute: a text that is no
 * number, a required parameter that was not given. What the call answers then is its default, or "" or 0. */
#pragma once
#include <thalweg/env.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Belongs to its environment, and is gone with it. Used by the environment's thread. */
struct tw_parameters;

/* The value of a key without one: `--flag`. */
#define TW_NO_VALUE "__NO_VALUE_KEY"

/* `--key value`, `-key value`, `--flag`; argv[0] is the program's name. What follows a key is its value unless it begins with
 * '-', but a negative number is one. Of a key that is given twice the last one counts. Never NULL, nor are the next three. */
TW_API struct tw_parameters *tw_parameters_from_args_at(struct tw_env *env, int argc, char *const *argv,
                                                        struct tw_here h);
#define tw_parameters_from_args(env, argc, argv) tw_parameters_from_args_at(env, argc, argv, TW_HERE)
/* A file of Java's properties: `key=value`, `key: value`, comments behind '#' or '!', a backslash at the end of a line goes on
 * in the next one, escapes as \t and \u00e9. In UTF-8, at most 1 MiB. */
TW_API struct tw_parameters *tw_parameters_from_file_at(struct tw_env *env, const char *path, struct tw_here h);
#define tw_parameters_from_file(env, path) tw_parameters_from_file_at(env, path, TW_HERE)
/* Pairs: TW_OPTIONS("input", "bids.csv"). */
TW_API struct tw_parameters *tw_parameters_from_map_at(struct tw_env *env, struct tw_options pairs, struct tw_here h);
#define tw_parameters_from_map(env, pairs) tw_parameters_from_map_at(env, pairs, TW_HERE)
/* A new set with all of both; of a key in both the value of `second`. What was asked for in either is not unrequested. */
TW_API struct tw_parameters *tw_parameters_merge_at(const struct tw_parameters *first,
                                                    const struct tw_parameters *second, struct tw_here h);
#define tw_parameters_merge(first, second) tw_parameters_merge_at(first, second, TW_HERE)

/* The value of a key, valid as long as the environment; `fallback`, which may be NULL, when it was not given. */
TW_API const char *tw_parameter_at(struct tw_parameters *p, const char *key, const char *fallback, struct tw_here h);
#define tw_parameter(p, key, fallback) tw_parameter_at(p, key, fallback, TW_HERE)
TW_API int32_t tw_parameter_int_at(struct tw_parameters *p, const char *key, int32_t fallback, struct tw_here h);
#define tw_parameter_int(p, key, fallback) tw_parameter_int_at(p, key, fallback, TW_HERE)
TW_API int64_t tw_parameter_long_at(struct tw_parameters *p, const char *key, int64_t fallback, struct tw_here h);
#define tw_parameter_long(p, key, fallback) tw_parameter_long_at(p, key, fallback, TW_HERE)
TW_API float tw_parameter_float_at(struct tw_parameters *p, const char *key, float fallback, struct tw_here h);
#define tw_parameter_float(p, key, fallback) tw_parameter_float_at(p, key, fallback, TW_HERE)
TW_API double tw_parameter_double_at(struct tw_parameters *p, const char *key, double fallback, struct tw_here h);
#define tw_parameter_double(p, key, fallback) tw_parameter_double_at(p, key, fallback, TW_HERE)
/* "true" or "false" in any case. A key without a value is true; in Flink it is false, as is every other text. */
TW_API bool tw_parameter_bool_at(struct tw_parameters *p, const char *key, bool fallback, struct tw_here h);
#define tw_parameter_bool(p, key, fallback) tw_parameter_bool_at(p, key, fallback, TW_HERE)

/* The same for a key that must be there: a mistake names it, and those that are. Never NULL. */
TW_API const char *tw_required_at(struct tw_parameters *p, const char *key, struct tw_here h);
#define tw_required(p, key) tw_required_at(p, key, TW_HERE)
TW_API int32_t tw_required_int_at(struct tw_parameters *p, const char *key, struct tw_here h);
#define tw_required_int(p, key) tw_required_int_at(p, key, TW_HERE)
TW_API int64_t tw_required_long_at(struct tw_parameters *p, const char *key, struct tw_here h);
#define tw_required_long(p, key) tw_required_long_at(p, key, TW_HERE)
TW_API double tw_required_double_at(struct tw_parameters *p, const char *key, struct tw_here h);
#define tw_required_double(p, key) tw_required_double_at(p, key, TW_HERE)
TW_API bool tw_required_bool_at(struct tw_parameters *p, const char *key, struct tw_here h);
#define tw_required_bool(p, key) tw_required_bool_at(p, key, TW_HERE)

/* Was it given, with a value or without? */
TW_API bool tw_has_parameter(struct tw_parameters *p, const char *key);
/* The index-th key that no call above asked for so far, in the order in which they were given; NULL behind the last. */
TW_API const char *tw_unrequested_parameter(const struct tw_parameters *p, uint32_t index);
TW_API uint32_t tw_parameter_count(const struct tw_parameters *p);
/* All of them become global job parameters, as by tw_set_job_parameter. */
TW_API void tw_set_job_parameters_at(const struct tw_parameters *p, struct tw_here h);
#define tw_set_job_parameters(p) tw_set_job_parameters_at(p, TW_HERE)

#ifdef __cplusplus
}
#endif
