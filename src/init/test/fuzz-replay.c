/* Runs a fuzz target over files, with any compiler: how the corpus is a test. Prints how many inputs there were. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		if (!f || fseek(f, 0, SEEK_END) < 0) { perror(argv[i]); return 2; }
		size_t size = (size_t)ftell(f);
		uint8_t *data = malloc(size ? size : 1); /* of its very size, so that reading past it is seen */
		rewind(f);
		if (!data || fread(data, 1, size, f) != size) { perror(argv[i]); return 2; }
		fclose(f);
		fprintf(stderr, "%s\n", argv[i]); /* the last line names the input that broke it */
		LLVMFuzzerTestOneInput(data, size);
		free(data);
	}
	printf("%d\n", argc - 1);
	return 0;
}
