// An engine that plays the tape.
#include <stdint.h>

// Makes a new instance of the module, in place of the one before.
void engine_start(const char* module);

// Finds a function that the module exports, and gives it a number below 16.
void engine_find(uint32_t number, const char* name);

// Calls it. The result is 0 of one that has none.
uint32_t engine_call(uint32_t number, uint32_t arity, const uint32_t* arguments);

uint8_t* engine_memory(uint32_t address, uint32_t length);
