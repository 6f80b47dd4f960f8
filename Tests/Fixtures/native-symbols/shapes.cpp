// Fixture: namespaces, templates, overloads, lambdas, virtual calls, inlined methods.
// Built by the tests; see SymbolicationTests/Fixture.swift for the commands.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace shapes {

struct Shape {
    virtual ~Shape() = default;
    virtual double area() const = 0;
};

template <typename Number> struct Box final : Shape {
    Number width, height;
    Box(Number width, Number height) : width(width), height(height) {}
    __attribute__((noinline)) double area() const override { return double(width) * double(height); }
};

namespace {
__attribute__((noinline)) double total(const std::vector<Shape *> &all) {
    double sum = 0;
    for (const Shape *shape : all) sum += shape->area();
    return sum;
}
} // namespace

__attribute__((noinline)) void order(std::vector<int> &numbers) {
    std::sort(numbers.begin(), numbers.end(), [](int left, int right) { return left % 7 < right % 7; });
}

__attribute__((noinline)) void order(std::vector<std::string> &names) { std::sort(names.begin(), names.end()); }

} // namespace shapes

extern "C" __attribute__((noinline)) int plain_c(int x) { return x * 3 + std::rand() % 2; }

int main(int argc, char **) {
    shapes::Box<int> small(argc, 2);
    shapes::Box<float> large(argc, 3.5f);
    std::vector<shapes::Shape *> all{&small, &large};
    std::vector<int> numbers{5, 3, argc, 9, 21, 2};
    std::vector<std::string> names{"b", "a", std::to_string(argc)};
    shapes::order(numbers);
    shapes::order(names);
    std::printf("%f %d %s %d\n", shapes::total(all), numbers[0], names[0].c_str(), plain_c(argc));
}
