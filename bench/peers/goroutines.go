// SPDX-License-Identifier: MIT
/*
 * goroutines.go - the same work as Go's own users write it.
 *
 *	goroutines detached|value|fib|memory|idle|trickle NAME=NUMBER...
 *
 * Fair because each way is Go's usual and its cheapest: a WaitGroup raised once
 * for all, one closure for all goroutines that do the same, a channel of one
 * per value, so that no sender ever blocks, a loop over ready-made slices.
 * workers= is GOMAXPROCS. The main goroutine spawns, on one of those Ps: Go has
 * no outside. The garbage collector runs with its defaults.
 */
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

var work string
var words = map[string]int{
	"n": 1, "workers": 1, "repeats": 1, "pause_ms": 0, "spins": 0,
	"rate": 1000, "inside": 0,
}

func require(condition bool, what string) {
	if !condition {
		panic(what)
	}
}

func cpuNs() int64 {
	var usage syscall.Rusage
	require(syscall.Getrusage(0, &usage) == nil, "getrusage")
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func statusKib(field string) int {
	text, err := os.ReadFile("/proc/self/status")
	require(err == nil, "status")
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, field) {
			kib, err := strconv.Atoi(strings.Fields(line)[1])
			require(err == nil, line)
			return kib
		}
	}
	return 0
}

func print(figures map[string]interface{}) {
	text, err := json.Marshal(figures)
	require(err == nil, "json")
	fmt.Println(string(text))
}

// As meter_series of bench/meter_series.h.
func series(figures map[string]interface{}, name string, samples int,
	pauseMs int, once func()) {
	var all []int64
	time.Sleep(5 * time.Millisecond)
	cpu := cpuNs()
	for i := 0; i < samples; i++ {
		time.Sleep(time.Duration(pauseMs) * time.Millisecond)
		from := time.Now()
		once()
		all = append(all, time.Since(from).Nanoseconds())
	}
	time.Sleep(5 * time.Millisecond)
	figures[name] = all
	figures[name+"_cpu_ns"] = (cpuNs() - cpu) / int64(samples)
}

func run(once func()) {
	figures := map[string]interface{}{}
	series(figures, "first", 1, 0, once)
	series(figures, "warm", words["repeats"], 0, once)
	if words["pause_ms"] > 0 {
		series(figures, "idle", words["repeats"], words["pause_ms"],
			once)
	}
	figures["rss_peak_kib"] = statusKib("VmHWM:")
	print(figures)
}

// Kept from the optimizer by a result that somebody could read.
var sink [128]uint64

func spin(rounds int) {
	x := uint64(rounds)
	for i := 0; i < rounds; i++ {
		x = x*6364136223846793005 + 1
	}
	if x == 1 {
		sink[0] = x
	}
}

func detached() {
	var group sync.WaitGroup
	n, spins := words["n"], words["spins"]
	body := func() { group.Done() }
	if spins > 0 {
		body = func() {
			spin(spins)
			group.Done()
		}
	}
	group.Add(n)
	for i := 0; i < n; i++ {
		go body()
	}
	group.Wait()
}

var channels []chan int

func number(i int, result chan<- int) {
	result <- i
}

func value() {
	sum := 0
	for i := range channels {
		channels[i] = make(chan int, 1)
		go number(i, channels[i])
	}
	for i := range channels {
		sum += <-channels[i]
	}
	require(sum == len(channels)*(len(channels)-1)/2, "sum")
}

func fib(n int) int {
	if n < 2 {
		return n
	}
	result := make(chan int, 1)
	go func() { result <- fib(n - 1) }()
	other := fib(n - 2)
	return <-result + other
}

func fibSerial(n int) int {
	a, b := 0, 1
	for i := 0; i < n; i++ {
		a, b = b, a+b
	}
	return a
}

// What waits is a goroutine that was begun and blocks: Go keeps a stack for
// each, begun or not.
func memory() {
	var group sync.WaitGroup
	gate := make(chan struct{})
	n := words["n"]
	body := func() {
		<-gate
		group.Done()
	}
	runtime.GC()
	before, cpu := statusKib("VmRSS:"), cpuNs()
	group.Add(n)
	for i := 0; i < n; i++ {
		go body()
	}
	pending := statusKib("VmRSS:")
	close(gate)
	group.Wait()
	time.Sleep(100 * time.Millisecond)
	print(map[string]interface{}{
		"before_kib": before, "pending_kib": pending,
		"after_kib": statusKib("VmRSS:"), "n": n,
		"bytes_per_task": float64(pending-before) * 1024 / float64(n),
		"cpu_ns":         float64(cpuNs()-cpu) / float64(n),
	})
}

func idle() {
	detached()
	time.Sleep(100 * time.Millisecond)
	cpu, from := cpuNs(), time.Now()
	time.Sleep(time.Second)
	print(map[string]interface{}{
		"cpu_ns":  cpuNs() - cpu,
		"wall_ns": time.Since(from).Nanoseconds(),
	})
}

func trickle() {
	var group sync.WaitGroup
	rate := words["rate"]
	latencies := make([]int, rate)
	time.Sleep(100 * time.Millisecond)
	cpu, at := cpuNs(), time.Now()
	group.Add(rate)
	for i := range latencies {
		at = at.Add(time.Second / time.Duration(rate))
		time.Sleep(time.Until(at))
		sent := time.Now()
		go func(latency *int) {
			*latency = int(time.Since(sent))
			group.Done()
		}(&latencies[i])
	}
	group.Wait()
	cpu = cpuNs() - cpu
	sort.Ints(latencies)
	print(map[string]interface{}{
		"cpu_ns": cpu,
		"latency_ns": []int{latencies[rate/10], latencies[rate/2],
			latencies[rate*9/10], latencies[rate-1]},
	})
}

func main() {
	work = os.Args[1]
	for _, word := range os.Args[2:] {
		parts := strings.SplitN(word, "=", 2)
		_, known := words[parts[0]]
		number, err := strconv.Atoi(parts[1])
		require(known && err == nil, word)
		words[parts[0]] = number
	}
	runtime.GOMAXPROCS(words["workers"])
	switch work {
	case "detached":
		run(detached)
	case "value":
		channels = make([]chan int, words["n"])
		run(value)
	case "fib":
		run(func() {
			n := words["n"]
			require(fib(n) == fibSerial(n), "fib")
		})
	case "memory":
		memory()
	case "idle":
		idle()
	case "trickle":
		trickle()
	default:
		panic(work)
	}
}
