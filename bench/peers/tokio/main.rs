// SPDX-License-Identifier: MIT
/*
 * main.rs - the same work as tokio's own users write it.
 *
 *	peer-tokio detached|value|memory|idle|trickle NAME=NUMBER...
 *
 * Fair because the runtime has its defaults apart from the number of workers,
 * and is built with whole-program optimization; because detached tasks drop
 * their handles at once, as the documentation says, and are counted by one RMW
 * each, which is cheaper than a channel or a clone of an Arc per task; because
 * values come by the JoinHandle, and inside=1 spawns and awaits them from a
 * task, where tokio is at its best.
 */
#[allow(dead_code)] // the peers use different parts of it
#[path = "../meter.rs"]
mod meter;

use meter::{Latch, Meter};
use std::sync::atomic::Ordering;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

fn detached(runtime: &Runtime, meter: &Meter, latch: &'static Latch) {
    latch.set(meter.n);
    if meter.spins == 0 {
        for _ in 0..meter.n {
            runtime.spawn(async move { latch.done() });
        }
    } else {
        let spins = meter.spins;
        for _ in 0..meter.n {
            runtime.spawn(async move {
                meter::spin(spins);
                latch.done()
            });
        }
    }
    latch.wait();
}

fn spawn_values(handle: &Handle, n: u64) -> Vec<JoinHandle<u64>> {
    let mut handles = Vec::with_capacity(n as usize);
    for i in 0..n {
        handles.push(handle.spawn(async move { i }));
    }
    handles
}

async fn await_values(handles: Vec<JoinHandle<u64>>) {
    let n = handles.len() as u64;
    let mut sum = 0;
    for handle in handles {
        sum += handle.await.unwrap();
    }
    assert_eq!(sum, n * (n - 1) / 2);
}

fn value(runtime: &Runtime, meter: &Meter) {
    let n = meter.n;
    let handle = runtime.handle().clone();
    if meter.inside > 0 {
        let root = runtime.spawn(async move {
            let handles = spawn_values(&handle, n);
            await_values(handles).await
        });
        runtime.block_on(root).unwrap();
    } else {
        let handles = spawn_values(&handle, n);
        runtime.block_on(await_values(handles));
    }
}

fn main() {
    let meter = meter::parse();
    let latch = Latch::new();
    let runtime = Builder::new_multi_thread()
        .worker_threads(meter.workers as usize)
        .build()
        .unwrap();
    match meter.work.as_str() {
        "detached" => meter::run(&meter, || detached(&runtime, &meter, latch)),
        "value" => meter::run(&meter, || value(&runtime, &meter)),
        "memory" => meter::memory(
            &meter,
            |gate| {
                runtime.spawn(async move { gate.hold() });
            },
            |latch| {
                runtime.spawn(async move { latch.done() });
            },
        ),
        "idle" => {
            detached(&runtime, &meter, latch);
            meter::idle();
        }
        "trickle" => meter::trickle(&meter, |place| {
            runtime.spawn(async move {
                place.store(meter::now_ns(), Ordering::Release)
            });
        }),
        _ => panic!("{}", meter.work),
    }
}
