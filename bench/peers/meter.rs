// SPDX-License-Identifier: MIT
/*
 * meter.rs - what bench/meter*.h are, for the peers in Rust.
 */
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

pub struct Meter {
    pub work: String,
    pub n: u64,
    pub workers: u64,
    pub repeats: u64,
    pub pause_ms: u64,
    pub spins: u64,
    pub inside: u64,
    pub rate: u64,
}

pub fn parse() -> Meter {
    let mut args = std::env::args().skip(1);
    let mut meter = Meter {
        work: args.next().expect("a work"),
        n: 1,
        workers: 1,
        repeats: 1,
        pause_ms: 0,
        spins: 0,
        inside: 0,
        rate: 1000,
    };
    for arg in args {
        let (name, number) = arg.split_once('=').expect("NAME=NUMBER");
        let number = number.parse().expect("NAME=NUMBER");
        match name {
            "n" => meter.n = number,
            "workers" => meter.workers = number,
            "repeats" => meter.repeats = number,
            "pause_ms" => meter.pause_ms = number,
            "spins" => meter.spins = number,
            "inside" => meter.inside = number,
            "rate" => meter.rate = number,
            _ => panic!("{}", arg),
        }
    }
    meter
}

pub fn cpu_ns() -> u64 {
    unsafe {
        let mut ts: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut ts);
        ts.tv_sec as u64 * 1_000_000_000 + ts.tv_nsec as u64
    }
}

pub fn now_ns() -> u64 {
    unsafe {
        let mut ts: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut ts);
        ts.tv_sec as u64 * 1_000_000_000 + ts.tv_nsec as u64
    }
}

pub fn sleep_ms(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

pub fn status_kib(field: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|l| l.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

pub fn spin(rounds: u64) {
    let mut x = rounds;
    for _ in 0..rounds {
        x = x.wrapping_mul(6364136223846793005).wrapping_add(1);
        unsafe { std::arch::asm!("/* {0} */", inout(reg) x) };
    }
}

/// As meter_series of bench/meter_series.h.
fn series(name: &str, samples: u64, pause_ms: u64, once: &mut dyn FnMut()) {
    let mut all = Vec::new();
    sleep_ms(5);
    let cpu = cpu_ns();
    for _ in 0..samples {
        if pause_ms > 0 {
            sleep_ms(pause_ms);
        }
        let from = Instant::now();
        once();
        all.push(from.elapsed().as_nanos().to_string());
    }
    sleep_ms(5);
    let cpu = (cpu_ns() - cpu) / samples;
    print!(
        "\"{}\": [{}], \"{}_cpu_ns\": {}, ",
        name,
        all.join(", "),
        name,
        cpu
    );
}

pub fn run(meter: &Meter, mut once: impl FnMut()) {
    print!("{{");
    series("first", 1, 0, &mut once);
    series("warm", meter.repeats, 0, &mut once);
    if meter.pause_ms > 0 {
        series("idle", meter.repeats, meter.pause_ms, &mut once);
    }
    println!("\"rss_peak_kib\": {}}}", status_kib("VmHWM:"));
}

pub fn fib_expected(n: u64) -> u64 {
    (0..n).fold((0, 1), |(a, b), _| (b, a + b)).0
}

pub fn idle() {
    sleep_ms(100);
    let from = Instant::now();
    let cpu = cpu_ns();
    sleep_ms(1000);
    let cpu = cpu_ns() - cpu;
    println!(
        "{{\"cpu_ns\": {}, \"wall_ns\": {}}}",
        cpu,
        from.elapsed().as_nanos()
    );
}

/// `spawn` makes a task that stores now_ns() at the place it is given.
pub fn trickle(meter: &Meter, spawn: impl Fn(&'static AtomicU64)) {
    let started: &'static [AtomicU64] = Box::leak(
        (0..meter.rate)
            .map(|_| AtomicU64::new(0))
            .collect::<Vec<_>>()
            .into_boxed_slice(),
    );
    let mut sent = Vec::with_capacity(started.len());
    sleep_ms(100);
    let mut at = Instant::now();
    let cpu = cpu_ns();
    for place in started {
        at += Duration::from_nanos(1_000_000_000 / meter.rate);
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        sent.push(now_ns());
        spawn(place);
    }
    while started.iter().any(|s| s.load(Ordering::Acquire) == 0) {
        sleep_ms(1);
    }
    let cpu = cpu_ns() - cpu;
    let mut ns: Vec<u64> = started
        .iter()
        .zip(&sent)
        .map(|(s, t)| s.load(Ordering::Acquire) - t)
        .collect();
    ns.sort_unstable();
    let n = ns.len();
    println!(
        "{{\"cpu_ns\": {}, \"latency_ns\": [{}, {}, {}, {}]}}",
        cpu,
        ns[n / 10],
        ns[n / 2],
        ns[n * 9 / 10],
        ns[n - 1]
    );
}

/// Holds workers until it is opened.
pub struct Gate {
    state: Mutex<(u64, bool)>, // how many are held, open
    changed: Condvar,
}

impl Gate {
    pub fn new() -> &'static Gate {
        Box::leak(Box::new(Gate {
            state: Mutex::new((0, false)),
            changed: Condvar::new(),
        }))
    }

    pub fn hold(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        self.changed.notify_all();
        while !state.1 {
            state = self.changed.wait(state).unwrap();
        }
    }

    pub fn wait_held(&self, workers: u64) {
        let mut state = self.state.lock().unwrap();
        while state.0 < workers {
            state = self.changed.wait(state).unwrap();
        }
    }

    pub fn open(&self) {
        self.state.lock().unwrap().1 = true;
        self.changed.notify_all();
    }
}

/// Counts tasks down and lets one thread wait for the last: one RMW per task.
pub struct Latch {
    left: AtomicU64,
    waiter: std::thread::Thread,
}

impl Latch {
    pub fn new() -> &'static Latch {
        Box::leak(Box::new(Latch {
            left: AtomicU64::new(0),
            waiter: std::thread::current(),
        }))
    }

    pub fn set(&self, n: u64) {
        self.left.store(n, Ordering::Release);
    }

    #[inline]
    pub fn done(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.waiter.unpark();
        }
    }

    pub fn wait(&self) {
        while self.left.load(Ordering::Acquire) != 0 {
            std::thread::park();
        }
    }
}

pub fn memory(
    meter: &Meter,
    hold: impl Fn(&'static Gate),
    spawn: impl Fn(&'static Latch),
) {
    let gate = Gate::new();
    let latch = Latch::new();
    for _ in 0..meter.workers {
        hold(gate);
    }
    gate.wait_held(meter.workers);
    let before = status_kib("VmRSS:");
    let cpu = cpu_ns();
    latch.set(meter.n);
    for _ in 0..meter.n {
        spawn(latch);
    }
    let pending = status_kib("VmRSS:");
    gate.open();
    latch.wait();
    sleep_ms(100);
    println!(
        "{{\"before_kib\": {}, \"pending_kib\": {}, \"after_kib\": {}, \
         \"bytes_per_task\": {:.2}, \"cpu_ns\": {:.1}, \"n\": {}}}",
        before,
        pending,
        status_kib("VmRSS:"),
        (pending as f64 - before as f64) * 1024.0 / meter.n as f64,
        (cpu_ns() - cpu) as f64 / meter.n as f64,
        meter.n
    );
}
