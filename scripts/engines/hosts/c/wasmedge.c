// WasmEdge.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasmedge/wasmedge.h>

#include "engine.h"

static WasmEdge_VMContext* machine;
static const WasmEdge_ModuleInstanceContext* instance;
static WasmEdge_FunctionInstanceContext* functions[16];
static uint32_t results[16];

static void check(WasmEdge_Result result) {
  if (WasmEdge_ResultOK(result)) return;
  fprintf(stderr, "%s\n", WasmEdge_ResultGetMessage(result));
  exit(1);
}

void engine_start(const char* module) {
  WasmEdge_VMDelete(machine);
  machine = WasmEdge_VMCreate(NULL, NULL);
  check(WasmEdge_VMLoadWasmFromFile(machine, module));
  check(WasmEdge_VMValidate(machine));
  check(WasmEdge_VMInstantiate(machine));
  instance = WasmEdge_VMGetActiveModule(machine);
}

void engine_find(uint32_t number, const char* name) {
  functions[number] =
      WasmEdge_ModuleInstanceFindFunction(instance, WasmEdge_StringWrap(name, strlen(name)));
  if (functions[number] == NULL) {
    fprintf(stderr, "no function %s\n", name);
    exit(1);
  }
  const WasmEdge_FunctionTypeContext* type =
      WasmEdge_FunctionInstanceGetFunctionType(functions[number]);
  results[number] = WasmEdge_FunctionTypeGetReturnsLength(type);
}

uint32_t engine_call(uint32_t number, uint32_t arity, const uint32_t* arguments) {
  WasmEdge_Value given[6];
  WasmEdge_Value result = WasmEdge_ValueGenI32(0);
  for (uint32_t i = 0; i < arity; i++) given[i] = WasmEdge_ValueGenI32(arguments[i]);
  check(WasmEdge_ExecutorInvoke(WasmEdge_VMGetExecutorContext(machine), functions[number], given,
                                arity, &result, results[number]));
  return WasmEdge_ValueGetI32(result);
}

uint8_t* engine_memory(uint32_t address, uint32_t length) {
  WasmEdge_String name = WasmEdge_StringWrap("memory", 6);
  WasmEdge_MemoryInstanceContext* memory = WasmEdge_ModuleInstanceFindMemory(instance, name);
  return WasmEdge_MemoryInstanceGetPointer(memory, address, length);
}
