// The tape of the battery, for engines with an interface for C.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine.h"

#define LARGE 8000
#define SLOW 20000

static uint32_t crc(uint32_t sum, uint64_t number, int bits) {
  for (int i = 0; i < bits; i++) {
    uint32_t low = (sum ^ (uint32_t)(number >> i)) & 1;
    sum = sum >> 1 ^ (low ? 0xedb88320 : 0);
  }
  return sum;
}

static uint32_t checksum(const uint8_t* bytes, uint32_t length, uint32_t size) {
  uint32_t sum = 0xffffffff;
  for (uint32_t i = 0; i < length; i += size) {
    if (size == 8) {
      uint64_t bits;
      memcpy(&bits, bytes + i, 8);
      if ((bits & 0x7fffffffffffffff) > 0x7ff0000000000000) bits = 0x7ff8000000000000;
      sum = crc(sum, bits, 64);
    } else {
      uint32_t bits;
      memcpy(&bits, bytes + i, 4);
      if ((bits & 0x7fffffff) > 0x7f800000) bits = 0x7fc00000;
      sum = crc(sum, bits, 32);
    }
  }
  return ~sum;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return 1e3 * time.tv_sec + 1e-6 * time.tv_nsec;
}

// The fewest milliseconds of each of the larger calls, by its operation, are kept.
static void play(const char* module, const uint32_t* tape, double* fastest) {
  engine_start(module);
  uint32_t count = *tape++, operations = *tape++;
  uint32_t arities[16];
  for (uint32_t i = 0; i < count; i++, tape += 9) {
    engine_find(i, (const char*)tape);
    arities[i] = tape[8];
  }
  for (uint32_t i = 0; i < operations; i++) {
    uint32_t kind = tape[0], first = tape[1];
    tape += 2;
    if (kind == 2) {
      uint32_t arity = arities[first];
      double start = now();
      uint32_t result = engine_call(first, arity, tape);
      if (arity == 6 && (int32_t)(tape[3] * tape[4]) >= LARGE)
        fastest[i] = fmin(fastest[i], now() - start);
      tape += arity;
      if (result != *tape++) {
        printf("operation %u: the result is %u\n", i, result);
        exit(1);
      }
      continue;
    }
    uint32_t length = *tape++;
    uint8_t* place = engine_memory(first, length);
    if (kind == 1) {
      memcpy(place, tape, length);
      tape += length / 4;
    } else {
      if (checksum(place, length, tape[0]) != tape[1]) {
        printf("operation %u: other numbers at %u\n", i, first);
        exit(1);
      }
      tape += 2;
    }
  }
}

int main(int argc, char** argv) {
  FILE* file = fopen(argv[argc - 1], "rb");
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  uint32_t* tape = malloc(size);
  if (fread(tape, 1, size, file) != (size_t)size) return 1;
  double* fastest = malloc(tape[1] * sizeof *fastest);
  for (uint32_t i = 0; i < tape[1]; i++) fastest[i] = INFINITY;
  double sum = 0;
  for (int turn = 0; turn < 10 && sum < SLOW; turn++) {
    play(argv[1], tape, fastest);
    sum = 0;
    for (uint32_t i = 0; i < tape[1]; i++)
      if (fastest[i] < INFINITY) sum += fastest[i];
  }
  printf("SAME %.0f\n", sum);
  return 0;
}
