// SPDX-License-Identifier: MIT
/*
 * main.rs - the same work as rayon's own users write it.
 *
 *	peer-rayon detached|fib|memory|idle|trickle NAME=NUMBER...
 *
 * Fair because the pool has its defaults apart from the number of threads, and
 * is built with whole-program optimization; because detached tasks are spawned
 * in a scope, which counts them by itself, and in both ways: inside=1 runs the
 * spawner on a worker, whose tasks go to its deque, inside=0 keeps it outside,
 * whose tasks go through the injector; because fib is join in its plainest
 * form. Rayon's tasks have no values.
 */
#[allow(dead_code)] // the peers use different parts of it
#[path = "../meter.rs"]
mod meter;

use meter::Meter;
use rayon::{Scope, ThreadPool, ThreadPoolBuilder};
use std::sync::atomic::Ordering;

fn spawn_all<'scope>(scope: &Scope<'scope>, n: u64, spins: u64) {
    if spins == 0 {
        for _ in 0..n {
            scope.spawn(|_| {});
        }
    } else {
        for _ in 0..n {
            scope.spawn(move |_| meter::spin(spins));
        }
    }
}

fn detached(pool: &ThreadPool, meter: &Meter) {
    pool.in_place_scope(|scope| spawn_all(scope, meter.n, meter.spins));
}

fn detached_inside(pool: &ThreadPool, meter: &Meter) {
    pool.scope(|scope| spawn_all(scope, meter.n, meter.spins));
}

fn fib(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (a, b) = rayon::join(|| fib(n - 1), || fib(n - 2));
    a + b
}

fn main() {
    let meter = meter::parse();
    let pool = ThreadPoolBuilder::new()
        .num_threads(meter.workers as usize)
        .build()
        .unwrap();
    match meter.work.as_str() {
        "detached" if meter.inside > 0 => {
            meter::run(&meter, || detached_inside(&pool, &meter))
        }
        "detached" => meter::run(&meter, || detached(&pool, &meter)),
        "fib" => meter::run(&meter, || {
            assert_eq!(
                pool.install(|| fib(meter.n)),
                meter::fib_expected(meter.n)
            );
        }),
        "memory" => meter::memory(
            &meter,
            |gate| pool.spawn(move || gate.hold()),
            |latch| pool.spawn(move || latch.done()),
        ),
        "idle" => {
            detached(&pool, &meter);
            meter::idle();
        }
        "trickle" => meter::trickle(&meter, |place| {
            pool.spawn(move || place.store(meter::now_ns(), Ordering::Release))
        }),
        _ => panic!("{}", meter.work),
    }
}
