// busy MILLISECONDS: sorts, maps, strings, regular expressions and virtual calls for so long.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <regex>
#include <string>
#include <unordered_map>
#include <vector>

namespace busy {

struct Shape {
    virtual ~Shape() = default;
    virtual double area() const = 0;
};
template <typename Number> struct Box final : Shape {
    Number side;
    explicit Box(Number side) : side(side) {}
    __attribute__((noinline)) double area() const override {
        double sum = 0;
        for (int index = 1; index < 2000; index++) sum += double(side) / index;
        return sum;
    }
};

namespace {
__attribute__((noinline)) std::size_t words(const std::string &text) {
    static const std::regex word("[a-z]+[0-9]*");
    return std::distance(std::sregex_iterator(text.begin(), text.end(), word), std::sregex_iterator());
}
} // namespace

__attribute__((noinline)) std::size_t count(int turns) {
    std::unordered_map<std::string, int> counts;
    for (int index = 0; index < turns; index++) counts["key" + std::to_string(index % 997)]++;
    std::map<std::string, int> ordered(counts.begin(), counts.end());
    return ordered.size();
}

__attribute__((noinline)) int order(std::vector<int> numbers) {
    std::stable_sort(numbers.begin(), numbers.end(), [](int left, int right) { return left % 1009 < right % 1009; });
    return numbers.front();
}

} // namespace busy

int main(int argc, char **argv) {
    if (argc != 2) return 64;
    auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(std::atoi(argv[1]));
    std::vector<int> numbers(20000);
    std::iota(numbers.begin(), numbers.end(), 1);
    std::vector<std::unique_ptr<busy::Shape>> shapes;
    shapes.push_back(std::make_unique<busy::Box<float>>(2));
    shapes.push_back(std::make_unique<busy::Box<long>>(3));
    std::function<double(const busy::Shape &)> area = [](const busy::Shape &shape) { return shape.area(); };
    double total = 0;
    while (std::chrono::steady_clock::now() < end) {
        total += busy::words("the quick brown fox 12 jumps over3 the lazy dog and runs away4 again");
        total += busy::count(3000) + busy::order(numbers);
        for (const auto &shape : shapes) total += area(*shape);
    }
    std::printf("%g\n", total);
}
