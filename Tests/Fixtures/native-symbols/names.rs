// Fixture for Rust's mangling: generics, closures, trait objects, constants, function pointers.
use std::collections::HashMap;
use std::fmt::Debug;

pub mod deep {
    pub struct Holder<T>(pub T);
    impl<T: Copy + Into<u64>> Holder<T> {
        #[inline(never)]
        pub fn go<F: Fn(u64) -> u64>(&self, f: F) -> u64 {
            let g = move |x: u64| f(x) ^ 3;
            run(&g, self.0.into())
        }
    }
    #[inline(never)]
    pub fn run(f: &dyn Fn(u64) -> u64, x: u64) -> u64 {
        f(x)
    }
}

trait Describe {
    fn describe(&self) -> String;
}
impl<T: Debug> Describe for Vec<T> {
    #[inline(never)]
    fn describe(&self) -> String {
        format!("{:?}", self)
    }
}
impl Describe for [u8; 4] {
    #[inline(never)]
    fn describe(&self) -> String {
        "four".into()
    }
}

#[inline(never)]
fn constants<const N: usize, const B: bool, const C: char>(a: &mut [i32; N]) -> i32 {
    a.sort_by(|x, y| y.cmp(x));
    a[0] + B as i32 + C as i32
}

#[inline(never)]
fn pointers(f: fn(&str, i32) -> &str, t: (i32, *const u8, &mut [u8])) -> usize {
    f("a", t.0).len() + t.2.len()
}

fn same(s: &str, _: i32) -> &str {
    s
}

fn main() {
    let mut map = HashMap::new();
    map.insert("a".to_string(), 3u32);
    println!("{}", deep::Holder(5u32).go(|x| x + map["a"] as u64));
    println!("{} {}", vec![1, 2].describe(), [1u8, 2, 3, 4].describe());
    println!("{}", constants::<3, true, 'x'>(&mut [3, 2, 1]));
    println!("{}", pointers(same, (1, std::ptr::null(), &mut [1])));
}
