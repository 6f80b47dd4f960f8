// busy MILLISECONDS: sorts, maps, formats and calls through trait objects for so long.
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::time::{Duration, Instant};

trait Shape {
    fn area(&self) -> f64;
}
struct Square<Number>(Number);
impl<Number: Copy + Into<f64>> Shape for Square<Number> {
    #[inline(never)]
    fn area(&self) -> f64 {
        (1..2000).map(|index| self.0.into() / index as f64).sum()
    }
}

#[inline(never)]
fn count(turns: usize) -> usize {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for index in 0..turns {
        *counts.entry(format!("key{}", index % 997)).or_default() += 1;
    }
    counts.into_iter().collect::<BTreeMap<_, _>>().len()
}

#[inline(never)]
fn order(numbers: &[u32]) -> u32 {
    let mut copy = numbers.to_vec();
    copy.sort_by_key(|number| number % 1009);
    copy[0]
}

#[inline(never)]
fn write_all(numbers: &[u32]) -> usize {
    let mut text = String::new();
    for number in numbers.iter().take(500) {
        write!(text, "{number:08x} ").expect("a string takes everything");
    }
    text.len()
}

fn main() {
    let milliseconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100);
    let end = Instant::now() + Duration::from_millis(milliseconds);
    let numbers: Vec<u32> = (0..20000).rev().collect();
    let shapes: Vec<Box<dyn Shape>> = vec![Box::new(Square(2f32)), Box::new(Square(3u32))];
    let mut total = 0f64;
    while Instant::now() < end {
        total += (count(3000) + order(&numbers) as usize + write_all(&numbers)) as f64;
        total += shapes.iter().map(|shape| shape.area()).sum::<f64>();
    }
    println!("{total}");
}
