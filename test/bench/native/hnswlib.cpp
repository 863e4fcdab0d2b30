// hnswlib's own headers without a binding: the bench's "native", and the oracle of 64-bit hnswlib files.
//
//   g++ -std=c++17 -O3 -march=native -I <hnswlib-node>/src/hnswlib hnswlib.cpp
//
// One request a line on stdin, one reply a line on stdout: "ok <number>" or "error <why>". One thread. Times are taken
// here, around the work alone, in seconds. Vectors are raw float32, labels raw uint32 (their low half), in files that
// the caller names: the path is the rest of the line. To search a hnswlib file of elsewhere, tell dimension and space by
// `rows 0 <dimension> <l2|ip> /dev/null`, then `queries`, `load`, `answers`.
//
//   rows <count> <dimension> <l2|ip> <path>            the rows to index, labelled 0, 1, 2 ...
//   queries <count> <path>                             with the dimension of `rows`
//   build <M> <efConstruction> <seed>                  -> seconds
//   time <limit> <ef> <queries> <repetitions>          -> seconds of all searches, one query a call
//   answers <limit> <ef> <path>                        writes the labels of all queries, nearest first -> seconds
//   save <path>                                        hnswlib's single file -> seconds
//   load <limit> <ef> <path>                           -> seconds until the first query is answered
//   bytes                                              -> bytes of vectors, labels, links, levels, visited marks
//   clock <wall|cpu>                                   what times are taken by from now on; wall at first
//   quit

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <time.h>

#include "hnswlib.h"

using Index = hnswlib::HierarchicalNSW<float>;

static clockid_t theClock = CLOCK_MONOTONIC;

static double now() {
  timespec time;
  clock_gettime(theClock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

static double secondsSince(double began) { return now() - began; }

static std::vector<float> readFloats(const std::string& path, size_t count) {
  std::vector<float> values(count);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(count * sizeof(float)));
  if (!file) throw std::runtime_error("cannot read " + std::to_string(count) + " floats from " + path);
  return values;
}

struct Bench {
  size_t dimension = 0;
  size_t rowCount = 0;
  size_t queryCount = 0;
  std::vector<float> rows;
  std::vector<float> queries;
  std::unique_ptr<hnswlib::SpaceInterface<float>> space;
  std::unique_ptr<Index> index;

  /** Labels of the nearest, nearest first; the rest keeps what it was. */
  void search(size_t query, size_t limit, uint32_t* labels) const {
    auto found = index->searchKnn(queries.data() + query * dimension, limit);
    for (size_t at = found.size(); at-- > 0; found.pop()) labels[at] = static_cast<uint32_t>(found.top().second);
  }

  void needIndex() const {
    if (!index) throw std::runtime_error("there is no index: build or load one");
  }

  double build(size_t m, size_t efConstruction, size_t seed) {
    index.reset();
    double began = now();
    index = std::make_unique<Index>(space.get(), rowCount, m, efConstruction, seed);
    for (size_t row = 0; row < rowCount; row++) index->addPoint(rows.data() + row * dimension, row);
    return secondsSince(began);
  }

  double time(size_t limit, size_t ef, size_t count, size_t repetitions) {
    needIndex();
    index->setEf(ef);
    std::vector<uint32_t> labels(limit);
    double began = now();
    for (size_t repetition = 0; repetition < repetitions; repetition++) {
      for (size_t query = 0; query < count; query++) search(query % queryCount, limit, labels.data());
    }
    return secondsSince(began);
  }

  double answers(size_t limit, size_t ef, const std::string& path) {
    needIndex();
    index->setEf(ef);
    std::vector<uint32_t> labels(queryCount * limit, UINT32_MAX);
    double began = now();
    for (size_t query = 0; query < queryCount; query++) search(query, limit, labels.data() + query * limit);
    double seconds = secondsSince(began);
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(labels.data()), static_cast<std::streamsize>(labels.size() * 4));
    return seconds;
  }

  double load(size_t limit, size_t ef, const std::string& path) {
    index.reset();
    std::vector<uint32_t> labels(limit);
    double began = now();
    index = std::make_unique<Index>(space.get(), path);
    index->setEf(ef);
    search(0, limit, labels.data());
    return secondsSince(began);
  }

  /** Without the locks and the table from labels to rows, which a single-threaded index could do without. */
  double bytes() const {
    needIndex();
    size_t size = index->cur_element_count;
    size_t total = size * index->size_data_per_element_;
    for (size_t row = 0; row < size; row++) total += index->element_levels_[row] * index->size_links_per_element_;
    return static_cast<double>(total + size * (sizeof(char*) + sizeof(int) + sizeof(hnswlib::vl_type)));
  }
};

static std::string restOf(std::istringstream& line) {
  std::string path;
  std::getline(line >> std::ws, path);
  return path;
}

static double answer(Bench& bench, const std::string& request) {
  std::istringstream line(request);
  std::string verb;
  line >> verb;
  if (verb == "rows") {
    std::string metric;
    line >> bench.rowCount >> bench.dimension >> metric;
    bench.index.reset();
    bench.rows = readFloats(restOf(line), bench.rowCount * bench.dimension);
    if (metric == "ip") bench.space = std::make_unique<hnswlib::InnerProductSpace>(bench.dimension);
    else bench.space = std::make_unique<hnswlib::L2Space>(bench.dimension);
    return static_cast<double>(bench.rowCount);
  }
  if (verb == "queries") {
    line >> bench.queryCount;
    bench.queries = readFloats(restOf(line), bench.queryCount * bench.dimension);
    return static_cast<double>(bench.queryCount);
  }
  if (verb == "clock") {
    theClock = restOf(line) == "cpu" ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
    return 0;
  }
  if (verb == "bytes") return bench.bytes();
  size_t first = 0, second = 0, third = 0, fourth = 0;
  if (verb == "build") {
    line >> first >> second >> third;
    return bench.build(first, second, third);
  }
  if (verb == "time") {
    line >> first >> second >> third >> fourth;
    return bench.time(first, second, third, fourth);
  }
  if (verb == "save") {
    bench.needIndex();
    double began = now();
    bench.index->saveIndex(restOf(line));
    return secondsSince(began);
  }
  line >> first >> second;
  if (verb == "answers") return bench.answers(first, second, restOf(line));
  if (verb == "load") return bench.load(first, second, restOf(line));
  throw std::runtime_error("no such request: " + request);
}

int main() {
  Bench bench;
  for (std::string request; std::getline(std::cin, request) && request != "quit";) {
    try {
      std::printf("ok %.9f\n", answer(bench, request));
    } catch (const std::exception& error) {
      std::printf("error %s\n", error.what());
    }
    std::fflush(stdout);
  }
}
