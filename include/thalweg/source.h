/* source.h - custom sources that are read in splits: files, partitions, ranges, pages of an interface.
 *
 *     static const struct tw_splits pages = {.next = next_page, .split_size = sizeof(struct page),
 *                                            .open = open_page, .read = read_page};
 *     TW_FUNCTION(tickets) = {.out = &ticket_row, .splits = &pages};
 *     struct tw_stream *s = tw_source_function(env, "tickets", &tickets);
 *
 * One enumerator per source finds splits and hands them to subtasks as these ask for more, so a fast subtask gets more
 * of them; it may find new ones for as long as it likes. A split is read by one subtask, in order, and has event times
 * and a watermark of its own: idleness, alignment and a rate limit hold per split, as at any connector. A source that
 * has one part per subtask and never more needs none of this: see .source of struct tw_function. */
#pragma once
#include <thalweg/function.h>

#ifdef __cplusplus
extern "C" {
#endif

/* `id` names the split in the source, for people too. `position`: up to 64 KiB, whatever .open wants to know; it also
 * says how far the split was read. Both are copied. With checkpoints an id means the same split in every run: what a
 * restored job has read, or reads, is known by it and is not handed out again. */
struct tw_split {
    const char *id;
    struct tw_str position;
};

struct tw_splits {
    /* Enumerator: memory of enumerator_size bytes, cleared; called from any subtask's thread, by one at a time. It has
     * no tw_self, no accumulators and emits nothing. */
    size_t enumerator_size;
    enum tw_status (*start)(struct tw_context *cx, void *enumerator);
    /* The next split for that subtask. *end: it gets no more, ever. Neither: none now, it will be asked again. */
    enum tw_status (*next)(struct tw_context *cx, void *enumerator, uint32_t subtask, struct tw_split *split,
                           bool *end);
    void (*finished)(struct tw_context *cx, void *enumerator, const char *id); /* that split was read to its end */
    void (*stop)(struct tw_context *cx, void *enumerator); /* not after a .start that failed */

    /* Reader: each split has memory of split_size bytes, cleared. */
    size_t split_size;
    uint32_t at_once; /* splits that a subtask reads side by side, in turn; 0 = one after another */
    enum tw_status (*open)(struct tw_context *cx, void *split, const struct tw_split *what);
    /* Fills up to `max` rows of row type out, cleared before; *count = 0 without *end: nothing now. */
    enum tw_status (*read)(struct tw_context *cx, void *split, void *rows, uint32_t max, uint32_t *count, bool *end);
    /* The bytes with which .open goes on behind the last row read, 64 KiB at most; valid until the next call for the
     * split. Without it a restored job reads the split from its beginning, and says so when it starts. */
    void (*position)(struct tw_context *cx, void *split, struct tw_str *position);
    void (*close)(struct tw_context *cx, void *split);
    /* Splits read side by side cannot be held up one by one. With watermark alignment such a source is refused, unless
     * pipeline.watermark-alignment.allow-unaligned-source-splits says that it may be held up as a whole. */
    bool cannot_pause;

    /* Hybrid: instead of all of the above other sources, read one after another, 16 at most, NULL behind the last. Their
     * rows are of the function's one type; all but the last must come to an end. A part begins, with its .start, when
     * every split of the part before was read to its end: tw_start_position is then what .end_position of that one,
     * asked before its .stop, said (up to 64 KiB; copied). */
    const struct tw_splits *const *parts;
    enum tw_status (*end_position)(struct tw_context *cx, void *enumerator, struct tw_str *position);
};

/* In .start of a part of a hybrid source: where the part before ended. Empty for the first, and when it did not say. */
TW_API struct tw_str tw_start_position(struct tw_context *cx);
/* In hooks of an enumerator: is the source behind, reading what has long been there? Then throughput counts more than
 * latency. A hybrid source says so of all parts but the last by itself. Metric enumerator.isProcessingBacklog, 0 or 1. */
TW_API void tw_backlog(struct tw_context *cx, bool is_backlog);

/* In .next, .read or .source that have nothing now: ask again at that processing time (tw_now_ms), or earlier; without
 * it a source is asked after 1 ms, then 2, 4, up to 16 while nothing comes. */
TW_API void tw_ask_again(struct tw_context *cx, int64_t time_ms);

#ifdef __cplusplus
}
#endif
