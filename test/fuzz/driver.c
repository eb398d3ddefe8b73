/* driver.c - runs a fuzz target over files, without a fuzzer: so the whole corpus is a test in every build.
 *
 *     fuzz_csv test/fuzz/corpus/csv          every file of the folder, and the empty input
 *     fuzz_csv finding-1234                  one file, to look at a finding under a debugger
 *
 * A target that dies fails the test; what it prints on the way names the file. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int file_run(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    uint8_t *bytes;
    size_t size;

    if (f == NULL || fstat(fileno(f), &st) != 0) {
        fprintf(stderr, "driver: %s cannot be read\n", path);
        return 1;
    }
    bytes = malloc((size_t)st.st_size); /* exactly as large, so that ASan sees a read past the end */
    if (bytes == NULL) {
        fprintf(stderr, "driver: no memory for %s\n", path);
        return 1;
    }
    size = fread(bytes, 1, (size_t)st.st_size, f);
    fclose(f);
    fprintf(stderr, "%s: %zu bytes\n", path, size);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    return 0;
}

static int folder_run(const char *path, DIR *folder)
{
    char child[4096];
    int failed = 0;

    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] != '.') {
            snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
            failed |= file_run(child);
        }
    }
    closedir(folder);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;

    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);

        failed |= folder != NULL ? folder_run(argv[i], folder) : file_run(argv[i]);
    }
    return failed;
}
