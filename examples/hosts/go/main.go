// The focal loss and its gradient in Go, from the WebAssembly module alone.
//
//	go run . FILE
//
// FILE is focal-loss.wasm of the npm package. docs/abi.md says what the functions and numbers are.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// Areas of the tile, and the places of the numbers that a loss is made of.
const (
	areaLogits, areaTargets, areaNumbers, areaTotals = 0, 3, 10, 11

	numberGamma, numberAlphaOther, numberAlphaOne, numberPositiveWeight = 0, 2, 3, 4
	numberUpstream, numberDenominator                                   = 9, 10

	page = 65536
)

// FocalLoss is the mean focal loss of rows of float32 logits, with the weight of class 1.
type FocalLoss struct {
	Alpha, Gamma float64

	module api.Module
	// All memory behind that which the module starts with is the host's.
	free uint32
}

// call calls a function of the module, whose arguments and result are 32-bit integers.
func (loss *FocalLoss) call(name string, arguments ...uint32) uint32 {
	words := make([]uint64, len(arguments))
	for i, argument := range arguments {
		words[i] = uint64(argument)
	}
	results, err := loss.module.ExportedFunction(name).Call(context.Background(), words...)
	if err != nil {
		log.Fatal(err)
	}
	return uint32(results[0])
}

// ValueAndGrad returns the mean of all rows, and its gradient.
func (loss *FocalLoss) ValueAndGrad(logits []float32, targets []int32, classes uint32) (float64, []float32, error) {
	rows := uint32(len(targets))
	memory := loss.module.Memory()
	end := loss.free + loss.call("tile_bytes", 4, classes, 0, 0)
	if size := memory.Size(); end > size {
		loss.call("grow", (end-size+page-1)/page)
	}
	if rows > loss.call("lay_out", loss.free, 4, classes, 0, 0) {
		return 0, nil, fmt.Errorf("more rows than the tile holds: take them in parts")
	}

	numbers := loss.call("area_address", areaNumbers)
	for place, number := range map[uint32]float64{
		numberGamma:          loss.Gamma,
		numberAlphaOther:     1 - loss.Alpha,
		numberAlphaOne:       loss.Alpha,
		numberPositiveWeight: 1,
		numberUpstream:       1,
		numberDenominator:    float64(rows),
	} {
		memory.WriteFloat64Le(numbers+8*place, number)
	}
	logitsAt, targetsAt := loss.call("area_address", areaLogits), loss.call("area_address", areaTargets)
	for i, logit := range logits {
		memory.WriteFloat32Le(logitsAt+4*uint32(i), logit)
	}
	for i, target := range targets {
		memory.WriteUint32Le(targetsAt+4*uint32(i), uint32(target))
	}
	// The gradient takes the place of the logits. No flags: float32, class indices, the focal loss.
	if wrong := int32(loss.call("solve", logitsAt, targetsAt, logitsAt, rows, classes, 0)); wrong != -1 {
		return 0, nil, fmt.Errorf("the target of row %d is not a class: %d", wrong, targets[wrong])
	}
	total, _ := memory.ReadFloat64Le(loss.call("area_address", areaTotals))
	grad := make([]float32, len(logits))
	for i := range grad {
		grad[i], _ = memory.ReadFloat32Le(logitsAt + 4*uint32(i))
	}
	return total / float64(rows), grad, nil
}

func main() {
	binary, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	runtime := wazero.NewRuntime(ctx)
	defer runtime.Close(ctx)
	module, err := runtime.Instantiate(ctx, binary)
	if err != nil {
		log.Fatal(err)
	}
	loss := FocalLoss{Alpha: 0.25, Gamma: 2, module: module, free: module.Memory().Size()}
	value, grad, err := loss.ValueAndGrad([]float32{2.5, -1, 0.5, 0.5, -1, 2}, []int32{0, 1, 1}, 2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.9f", value)
	for _, g := range grad {
		fmt.Printf(" %.9f", g)
	}
	fmt.Println()
}
