//! The scheduler: two tasks take turns until both have ended. A guest's turn ends by itself when its slice of
//! fuel is used up, so there is no timer and no interrupt.

use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

/// What a task ended with, and how many turns it took.
pub struct Ended<T> {
    pub output: T,
    pub turns: u64,
}

/// Runs both to their ends.
pub fn in_turns<A: Future, B: Future>(a: A, b: B) -> (Ended<A::Output>, Ended<B::Output>) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut ended_a, mut ended_b) = (None, None);
    for turn in 1.. {
        advance(a.as_mut(), &mut ended_a, turn);
        advance(b.as_mut(), &mut ended_b, turn);
        if ended_a.is_some() && ended_b.is_some() {
            break;
        }
    }
    match (ended_a, ended_b) {
        (Some(a), Some(b)) => (a, b),
        _ => unreachable!("the loop ends when both have"),
    }
}

/// Gives a task that hasn't ended its turn.
fn advance<F: Future>(task: Pin<&mut F>, ended: &mut Option<Ended<F::Output>>, turns: u64) {
    if ended.is_some() {
        return;
    }
    // Whoever used up a slice can go on at once: nobody has to be woken.
    let mut context = Context::from_waker(Waker::noop());
    if let Poll::Ready(output) = task.poll(&mut context) {
        *ended = Some(Ended { output, turns });
    }
}
