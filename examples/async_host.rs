//! Functions of the host that wait: two guests read slow sensors at once, on one thread, driven by an
//! executor of thirty lines. Any other does as well; guests need no stack of their own.
//!
//! `cargo run --example async_host`

use cellule::component::{Component, HasSelf, Linker, bindgen};
use cellule::{Config, Engine, Result, Store};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

bindgen!({
    path: "tests/guests/wit/sensor.wit",
    imports: { "read": async },
    exports: { default: async },
});

/// What a device and whoever waits for it share.
#[derive(Default)]
struct Reading {
    value: Option<f32>,
    waker: Option<Waker>,
}

/// A reading that a device, here a thread, has not yet answered.
struct Device(Arc<Mutex<Reading>>);

impl Device {
    fn ask(channel: u32) -> Device {
        let reading = Arc::new(Mutex::new(Reading::default()));
        let answer = reading.clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            let mut reading = answer.lock().expect("nobody panics");
            reading.value = Some(channel as f32 + 0.5);
            if let Some(waker) = reading.waker.take() {
                waker.wake();
            }
        });
        Device(reading)
    }
}

impl Future for Device {
    type Output = f32;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<f32> {
        let mut reading = self.0.lock().expect("nobody panics");
        match reading.value {
            Some(value) => Poll::Ready(value),
            None => {
                reading.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// How many guests wait, and how many did at most.
#[derive(Default)]
struct Waiting {
    now: AtomicU32,
    most: AtomicU32,
}

struct Host {
    waiting: Arc<Waiting>,
}

impl SensorImports for Host {
    async fn read(&mut self, channel: u32) -> std::result::Result<f32, String> {
        if channel > 1 {
            return Err(format!("there is no channel {channel}"));
        }
        let now = self.waiting.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.waiting.most.fetch_max(now, Ordering::Relaxed);
        let value = Device::ask(channel).await;
        self.waiting.now.fetch_sub(1, Ordering::Relaxed);
        Ok(value)
    }

    fn report(&mut self, line: String) {
        println!("{line}");
    }
}

/// Samples three channels, of which there are two.
async fn sample(engine: Engine, label: &str, waiting: Arc<Waiting>) -> Result<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guests/rust-sensor.wasm");
    let component = Component::new(&engine, std::fs::read(path)?)?;
    let mut linker = Linker::new(&engine);
    Sensor::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host)?;
    let mut store = Store::new(&engine, Host { waiting });
    // A guest that computes for long lets the others go on after each 10,000 units of fuel.
    store.set_fuel(10_000_000)?;
    store.fuel_async_yield_interval(Some(10_000))?;
    let sensor = Sensor::instantiate_async(&mut store, &component, &linker).await?;
    sensor.call_sample(&mut store, label, 3).await
}

/// Wakes the thread of the executor.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The executor: polls what isn't done, and sleeps until something wakes it.
fn run<T>(futures: Vec<Pin<Box<dyn Future<Output = T> + '_>>>) -> Vec<T> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut open: Vec<_> = futures.into_iter().map(Some).collect();
    let mut outputs: Vec<Option<T>> = open.iter().map(|_| None).collect();
    loop {
        for (future, output) in open.iter_mut().zip(&mut outputs) {
            if let Some(running) = future
                && let Poll::Ready(value) = running.as_mut().poll(&mut context)
            {
                (*future, *output) = (None, Some(value));
            }
        }
        if open.iter().all(Option::is_none) {
            return outputs.into_iter().flatten().collect();
        }
        thread::park();
    }
}

/// Samples in two guests at once; their summaries, and how many waited at the same time.
fn sample_twice() -> Result<(Vec<String>, u32)> {
    let engine = Engine::new(Config::new().consume_fuel(true))?;
    let waiting = Arc::new(Waiting::default());
    let labels = ["hall", "roof"];
    let samples = labels.map(|label| sample(engine.clone(), label, waiting.clone()));
    let samples = samples.map(|future| Box::pin(future) as Pin<Box<dyn Future<Output = _>>>);
    let summaries: Result<Vec<String>> = run(samples.into()).into_iter().collect();
    Ok((summaries?, waiting.most.load(Ordering::Relaxed)))
}

fn main() -> Result<()> {
    let (summaries, most) = sample_twice()?;
    for summary in summaries {
        println!("{summary}");
    }
    println!("{most} waited at once");
    Ok(())
}

#[test]
fn two_guests_wait_at_once() {
    let (summaries, most) = sample_twice().unwrap();
    assert!(summaries[0].starts_with("hall"), "{summaries:?}");
    assert!(summaries[1].starts_with("roof"), "{summaries:?}");
    assert_eq!(most, 2);
}
