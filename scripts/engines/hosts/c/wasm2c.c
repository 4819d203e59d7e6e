// wasm2c: the module as C.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "focal.h"

typedef union {
  u32 (*one)(w2c_focal*, u32);
  u32 (*four)(w2c_focal*, u32, u32, u32, u32);
  u32 (*five)(w2c_focal*, u32, u32, u32, u32, u32);
  u32 (*six)(w2c_focal*, u32, u32, u32, u32, u32, u32);
} function;

static const struct {
  const char* name;
  function call;
} FUNCTIONS[] = {
    {"area_address", {.one = w2c_focal_area_address}},
    {"count_targets", {.five = w2c_focal_count_targets}},
    {"find_invalid_probabilities", {.four = w2c_focal_find_invalid_probabilities}},
    {"grow", {.one = w2c_focal_grow}},
    {"lay_out", {.five = w2c_focal_lay_out}},
    {"sigmoid", {.six = w2c_focal_sigmoid}},
    {"solve", {.six = w2c_focal_solve}},
    {"tile_bytes", {.four = w2c_focal_tile_bytes}},
};

static w2c_focal instance;
static int started;
static function functions[16];

void engine_start(const char* module) {
  (void)module;
  if (started)
    wasm2c_focal_free(&instance);
  else
    wasm_rt_init();
  started = 1;
  wasm2c_focal_instantiate(&instance);
}

void engine_find(uint32_t number, const char* name) {
  for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++) {
    functions[number] = FUNCTIONS[i].call;
    if (strcmp(FUNCTIONS[i].name, name) == 0) return;
  }
  fprintf(stderr, "no function %s\n", name);
  exit(1);
}

uint32_t engine_call(uint32_t number, uint32_t arity, const uint32_t* a) {
  function f = functions[number];
  switch (arity) {
    case 1: return f.one(&instance, a[0]);
    case 4: return f.four(&instance, a[0], a[1], a[2], a[3]);
    case 5: return f.five(&instance, a[0], a[1], a[2], a[3], a[4]);
    default: return f.six(&instance, a[0], a[1], a[2], a[3], a[4], a[5]);
  }
}

uint8_t* engine_memory(uint32_t address, uint32_t length) {
  (void)length;
  return w2c_focal_memory(&instance)->data + address;
}
