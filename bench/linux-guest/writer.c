/*
 * writer PAGES HOT_PAGES HOT_PER_SECOND OTHERS_PER_SECOND: writes pages whose writes are known, and checks each before it is
 * written again. Hot pages are the first ones; every write is of one of them, or of one of the others, drawn uniformly.
 * Every half second it says how many writes of both kinds there were, and how many pages were not as they had been left.
 * After a pause it does not make up for what it missed. At rates that it cannot keep it writes without a break.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 512, STEP = 64, TURN_US = 1000, MOST_A_TURN = 100 };

static uint64_t state = 88172645463325252ULL;

static uint64_t random_number(void) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static uint64_t pattern(uint64_t page, uint64_t version, uint64_t word) {
  uint64_t x = page * 0x9E3779B97F4A7C15ULL ^ version * 0xC2B2AE3D27D4EB4FULL ^ word * 0x165667B19E3779F9ULL;
  x = (x ^ x >> 29) * 0xBF58476D1CE4E5B9ULL;
  return x ^ x >> 32;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec * 1e-9;
}

int main(int count, char **arguments) {
  if (count != 5) return 2;
  const size_t pages = atol(arguments[1]), hot = atol(arguments[2]);
  const double rates[2] = {atof(arguments[3]), atof(arguments[4])};
  uint64_t *memory = mmap(0, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  uint32_t *versions = calloc(pages, sizeof *versions);
  if (memory == MAP_FAILED || !versions) return 1;
  for (size_t page = 0; page < pages; page++)
    for (int word = 0; word < WORDS; word += STEP) memory[page * WORDS + word] = pattern(page, 0, word);
  uint64_t done[2] = {0, 0}, errors = 0;
  double due[2] = {0, 0}, before = seconds(), told = before;
  for (;;) {
    const double now = seconds();
    int is_behind = 0;
    for (int kind = 0; kind < 2; kind++) {
      due[kind] += (now - before) * rates[kind];
      if (due[kind] > MOST_A_TURN) {
        due[kind] = MOST_A_TURN;
        is_behind = 1;
      }
      for (; due[kind] >= 1; due[kind]--, done[kind]++) {
        const size_t page = kind == 0 ? random_number() % hot : hot + random_number() % (pages - hot);
        uint64_t *at = memory + page * WORDS;
        for (int word = 0; word < WORDS; word += STEP) errors += at[word] != pattern(page, versions[page], word);
        versions[page]++;
        for (int word = 0; word < WORDS; word += STEP) at[word] = pattern(page, versions[page], word);
      }
    }
    before = now;
    if (now - told >= 0.5) {
      told = now;
      printf("writer %.3f s: %lu hot, %lu others, %lu errors\n", now, done[0], done[1], errors);
      fflush(stdout);
    }
    if (!is_behind) usleep(TURN_US);
  }
}
