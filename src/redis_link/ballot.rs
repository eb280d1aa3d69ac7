//! What most of several servers say, when each of them may be wrong, slow or gone.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::failure::LinkFailed;

/// Asks all at once. It is over when most of them say the same, when all have answered, or when the
/// first answer has waited for others for a quarter of `patience`: one that hangs holds nobody up.
///
/// # Errors
/// [`LinkFailed`], that of the last one, when nobody answered.
pub(super) async fn most_say<T, F>(asked: Vec<F>, patience: Duration) -> Result<T, LinkFailed>
where
    T: Eq + Send + 'static,
    F: Future<Output = Result<T, LinkFailed>> + Send + 'static,
{
    let most = asked.len() / 2 + 1;
    let mut answers: Vec<(T, usize)> = Vec::new();
    let mut failed = LinkFailed::TimedOut;
    let mut end = Instant::now() + patience;
    let mut asking: JoinSet<_> = asked.into_iter().collect();
    while let Ok(Some(next)) = timeout_at(end, asking.join_next()).await {
        match next {
            Ok(Ok(answer)) => {
                end = end.min(Instant::now() + patience / 4);
                let known = answers.iter().position(|(known, _)| *known == answer);
                let place = known.unwrap_or_else(|| {
                    answers.push((answer, 0));
                    answers.len() - 1
                });
                answers[place].1 += 1;
                if answers[place].1 >= most {
                    return Ok(answers.swap_remove(place).0);
                }
            }
            Ok(Err(failure)) => failed = failure,
            Err(_ended) => {}
        }
    }
    // Of those that as many say, the one that was said first.
    let most = answers.iter().map(|(_, count)| *count).max();
    let found = answers.into_iter().find(|(_, count)| Some(*count) == most);
    found.map(|(answer, _)| answer).ok_or(failed)
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::pin::Pin;

    use super::*;

    type Saying = Pin<Box<dyn Future<Output = Result<u8, LinkFailed>> + Send>>;

    fn says(what: u8) -> Saying {
        Box::pin(async move { Ok(what) })
    }

    fn hangs() -> Saying {
        Box::pin(pending())
    }

    fn fails() -> Saying {
        Box::pin(async { Err(LinkFailed::Busy) })
    }

    #[tokio::test(start_paused = true)]
    async fn most_win_and_whoever_hangs_or_fails_is_not_waited_for() {
        let second = Duration::from_secs(1);
        let begun = Instant::now();
        assert_eq!(most_say(vec![hangs(), says(7), says(7)], second).await, Ok(7));
        assert_eq!(begun.elapsed(), Duration::ZERO, "two of three are enough");
        assert_eq!(most_say(vec![says(1), says(7), says(7)], second).await, Ok(7));
        assert_eq!(most_say(vec![hangs(), hangs(), says(7)], second).await, Ok(7));
        assert_eq!(begun.elapsed(), second / 4);
        assert_eq!(most_say(vec![fails(), says(7)], second).await, Ok(7));
        assert_eq!(most_say(vec![fails(), fails()], second).await, Err(LinkFailed::Busy));
        assert_eq!(most_say(vec![hangs()], second).await, Err(LinkFailed::TimedOut));
        assert_eq!(begun.elapsed(), second / 4 + second);
    }
}
