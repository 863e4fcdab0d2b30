// Made hnswlib-64.bin and hnswlib-64.json: an index as hnswlib 0.8 saves it on a 64-bit machine, and what hnswlib
// answers on it. The headers are those of the npm package hnswlib-node 3.0.0, in src/hnswlib:
//
//   g++ -std=c++17 -O2 -I <package>/src hnswlib-64.cpp -o hnswlib-64 && ./hnswlib-64 hnswlib-64.bin > hnswlib-64.json
//
// 60 seeded vectors of 8 components, M 4, room for 100; two elements deleted; labels beyond 32 bits.

#include <cstdint>
#include <cstdio>
#include <string>

#include "hnswlib/hnswlib.h"

static const size_t DIMENSION = 8;
static const size_t SIZE = 60;
static const size_t QUERIES = 8;
static const size_t LIMIT = 5;
static const size_t EF = 16;

// A linear congruential generator (Numerical Recipes): its upper 24 bits are a float32 in [0, 1) exactly.
static uint32_t state = 1;

static float draw() {
  state = state * 1664525u + 1013904223u;
  return static_cast<float>(state >> 8) / 16777216.0f;
}

int main(int count, char **arguments) {
  if (count != 2) return 1;
  hnswlib::L2Space space(DIMENSION);
  hnswlib::HierarchicalNSW<float> index(&space, 100, 4, 40, 7);
  float vector[DIMENSION];
  for (size_t row = 0; row < SIZE; row++) {
    for (float &component : vector) component = draw();
    index.addPoint(vector, 7 + row * 4294967311ull);
  }
  index.markDelete(7 + 5 * 4294967311ull);
  index.markDelete(7 + 41 * 4294967311ull);
  index.saveIndex(arguments[1]);

  index.setEf(EF);
  std::printf("{\n  \"ef\": %zu,\n  \"limit\": %zu,\n  \"queries\": [\n", EF, LIMIT);
  for (size_t query = 0; query < QUERIES; query++) {
    for (float &component : vector) component = draw();
    std::string values, ids, distances;
    for (float component : vector) {
      char text[32];
      std::snprintf(text, sizeof text, "%s%.9g", values.empty() ? "" : ", ", component);
      values += text;
    }
    for (auto &[distance, label] : index.searchKnnCloserFirst(vector, LIMIT)) {
      char text[32];
      std::snprintf(text, sizeof text, "%s%.9g", distances.empty() ? "" : ", ", distance);
      distances += text;
      ids += (ids.empty() ? "" : ", ") + std::to_string(label);
    }
    std::printf(
        "    { \"query\": [%s],\n      \"ids\": [%s],\n      \"distances\": [%s] }%s\n",
        values.c_str(), ids.c_str(), distances.c_str(), query + 1 < QUERIES ? "," : "");
  }
  std::printf("  ]\n}\n");
}
