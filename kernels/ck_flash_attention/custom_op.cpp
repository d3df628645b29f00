// Registers com.ck::CKFlashAttention with ONNX Runtime, through its C API alone: checks what a node
// asks for and hands it to the kernel of its device as an AttentionProblem.

#include <onnxruntime/core/session/onnxruntime_c_api.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "attention.h"

namespace ck_flash_attention {
namespace {

constexpr char kDomain[] = "com.ck";
constexpr char kOpName[] = "CKFlashAttention";
constexpr size_t kScratchAlignment = 64;

constexpr std::array<const char*, 4> kInputNames = {"Q", "K", "V", "bias"};
enum InputIndex : size_t { kQuery, kKey, kValue, kBias };

enum class Device { kCpu, kRocm };
enum class Layout { kBhsd, kBshd };

// ---- Errors -------------------------------------------------------------------------------------

// What becomes an OrtStatus. Exceptions stay inside this library: see Guarded.
class Error : public std::runtime_error {
 public:
  Error(OrtErrorCode code, const std::string& message) : std::runtime_error(message), code(code) {}
  const OrtErrorCode code;
};

OrtStatus* MakeStatus(const OrtApi& api, OrtErrorCode code, const std::string& node,
                      const char* message) noexcept {
  try {
    std::string text = kOpName;
    if (!node.empty()) text += " node '" + node + "'";
    return api.CreateStatus(code, (text + ": " + message).c_str());
  } catch (...) {
    return api.CreateStatus(code, message);
  }
}

// Runs body(); what it throws comes back as a status that names the op and the node.
template <typename Body>
OrtStatus* Guarded(const OrtApi& api, const std::string& node, const Body& body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const Error& error) {
    return MakeStatus(api, error.code, node, error.what());
  } catch (const std::exception& error) {
    return MakeStatus(api, ORT_RUNTIME_EXCEPTION, node, error.what());
  } catch (...) {
    return MakeStatus(api, ORT_RUNTIME_EXCEPTION, node, "an exception of unknown type");
  }
}

void Check(const OrtApi& api, OrtStatus* status) {
  if (status == nullptr) return;
  const std::unique_ptr<OrtStatus, decltype(api.ReleaseStatus)> owned(status, api.ReleaseStatus);
  throw Error(api.GetErrorCode(status), api.GetErrorMessage(status));
}

// Whether the call that gave `status` succeeded; for calls whose failure has one plain meaning.
bool Succeeded(const OrtApi& api, OrtStatus* status) {
  if (status == nullptr) return true;
  api.ReleaseStatus(status);
  return false;
}

// Owns an object of ONNX Runtime's, given its release function.
template <typename T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

// ---- Tensors ------------------------------------------------------------------------------------

constexpr int64_t kUnknown = -1;  // a dimension that only a run tells

struct TensorInfo {
  bool present = false;
  ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  std::optional<std::vector<int64_t>> shape;  // none while even the rank is unknown
};

using Inputs = std::array<TensorInfo, kInputNames.size()>;

std::vector<int64_t> Dimensions(const OrtApi& api, const OrtTensorTypeAndShapeInfo* info) {
  size_t rank = 0;
  Check(api, api.GetDimensionsCount(info, &rank));
  std::vector<int64_t> shape(rank);
  if (rank > 0) Check(api, api.GetDimensions(info, shape.data(), rank));
  return shape;
}

std::string TypeName(ONNXTensorElementDataType type) {
  constexpr std::array names = {"undefined",  "float32", "uint8",  "int8",   "uint16",
                                "int16",      "int32",   "int64",  "string", "bool",
                                "float16",    "float64", "uint32", "uint64", "complex64",
                                "complex128", "bfloat16"};
  return type < names.size() ? names[type] : "type " + std::to_string(type);
}

std::string Describe(const TensorInfo& tensor) {
  if (!tensor.present) return "absent";
  std::string text = TypeName(tensor.type) + " ";
  if (!tensor.shape) return text + "of unknown rank";
  text += "[";
  for (const int64_t dimension : *tensor.shape) {
    if (text.back() != '[') text += ",";
    text += dimension < 0 ? "?" : std::to_string(dimension);
  }
  return text + "]";
}

std::string Describe(const Inputs& inputs, Layout layout) {
  std::string text = "(";
  for (size_t input = 0; input < inputs.size(); ++input) {
    text += std::string(kInputNames[input]) + " " + Describe(inputs[input]) +
            (input < kBias ? ", " : "; layout ");
  }
  return text + (layout == Layout::kBhsd ? "BHSD)" : "BSHD)");
}

// ---- Attributes ---------------------------------------------------------------------------------

struct Attributes {
  std::optional<float> scale;  // none: 1 / sqrt(head size)
  int64_t window_left = kUnlimitedWindow;
  int64_t window_right = kUnlimitedWindow;
  Layout layout = Layout::kBhsd;
  ComputeType compute_type = ComputeType::kFloat32;
};

// Reads attributes, of which ONNX Runtime does not say whether they are absent or of another type.
class AttributeReader {
 public:
  AttributeReader(const OrtApi& api, const OrtKernelInfo* info) : api_(api), info_(info) {}

  std::optional<float> Float(const char* name) const {
    float value = 0;
    return Found(name, "a float", IsFloat(name, &value)) ? std::optional(value) : std::nullopt;
  }

  std::optional<int64_t> Int(const char* name) const {
    int64_t value = 0;
    return Found(name, "an integer", IsInt(name, &value)) ? std::optional(value) : std::nullopt;
  }

  std::optional<std::string> String(const char* name) const {
    size_t size = 0;
    if (!Found(name, "a string", IsString(name, &size))) return std::nullopt;
    std::string value(size, '\0');
    Check(api_, api_.KernelInfoGetAttribute_string(info_, name, value.data(), &size));
    value.resize(size - 1);  // without the terminating zero
    return value;
  }

 private:
  bool IsFloat(const char* name, float* value) const {
    return Succeeded(api_, api_.KernelInfoGetAttribute_float(info_, name, value));
  }

  bool IsInt(const char* name, int64_t* value) const {
    return Succeeded(api_, api_.KernelInfoGetAttribute_int64(info_, name, value));
  }

  bool IsString(const char* name, size_t* size) const {
    return Succeeded(api_, api_.KernelInfoGetAttribute_string(info_, name, nullptr, size));
  }

  // Returns `found`; throws where the attribute is there nevertheless, as something else.
  bool Found(const char* name, const char* wanted, bool found) const {
    if (found) return true;
    float number = 0;
    int64_t integer = 0;
    size_t size = 0;
    if (!IsFloat(name, &number) && !IsInt(name, &integer) && !IsString(name, &size) &&
        !Succeeded(api_, api_.KernelInfoGetAttributeArray_float(info_, name, nullptr, &size)) &&
        !Succeeded(api_, api_.KernelInfoGetAttributeArray_int64(info_, name, nullptr, &size))) {
      return false;
    }
    throw Error(ORT_INVALID_GRAPH, std::string("attribute ") + name + " must be " + wanted);
  }

  const OrtApi& api_;
  const OrtKernelInfo* info_;
};

int64_t ReadWindow(const AttributeReader& reader, const char* name) {
  const int64_t window = reader.Int(name).value_or(kUnlimitedWindow);
  if (window >= kUnlimitedWindow) return window;
  throw Error(ORT_INVALID_GRAPH, std::string("attribute ") + name + " is " +
                                     std::to_string(window) +
                                     ", but must be -1 (unlimited) or a number of positions");
}

template <typename T>
T ReadChoice(const AttributeReader& reader, const char* name,
             const std::array<std::pair<const char*, T>, 2>& choices) {
  const std::optional<std::string> value = reader.String(name);
  if (!value) return choices[0].second;
  for (const auto& [text, choice] : choices) {
    if (*value == text) return choice;
  }
  throw Error(ORT_INVALID_GRAPH, std::string("attribute ") + name + " is \"" + *value +
                                     "\", but must be \"" + choices[0].first + "\" or \"" +
                                     choices[1].first + "\"");
}

Attributes ReadAttributes(const OrtApi& api, const OrtKernelInfo* info) {
  const AttributeReader reader(api, info);
  Attributes attributes;
  attributes.scale = reader.Float("scale");
  if (attributes.scale && !std::isfinite(*attributes.scale)) {
    throw Error(ORT_INVALID_GRAPH,
                "attribute scale is " + std::to_string(*attributes.scale) + ", but must be finite");
  }
  attributes.window_left = ReadWindow(reader, "window_size_left");
  attributes.window_right = ReadWindow(reader, "window_size_right");
  attributes.layout =
      ReadChoice<Layout>(reader, "layout", {{{"BHSD", Layout::kBhsd}, {"BSHD", Layout::kBshd}}});
  attributes.compute_type = ReadChoice<ComputeType>(
      reader, "compute_type",
      {{{"float32", ComputeType::kFloat32}, {"bfloat16", ComputeType::kBFloat16}}});
  return attributes;
}

// ---- Checks of types and shapes -----------------------------------------------------------------

std::optional<ElementType> ElementTypeOn(Device device, ONNXTensorElementDataType type) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
      return ElementType::kFloat16;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return device == Device::kCpu ? std::optional(ElementType::kFloat32) : std::nullopt;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16:
      return device == Device::kRocm ? std::optional(ElementType::kBFloat16) : std::nullopt;
    default:
      return std::nullopt;
  }
}

// Checks the inputs of one node, as far as they are known: a session's may have open dimensions,
// a run's have none.
class InputChecker {
 public:
  InputChecker(const Inputs& inputs, Layout layout, Device device)
      : inputs_(inputs), layout_(layout), device_(device) {}

  void Check() const {
    CheckTypes();
    CheckRanks();
    for (const size_t input : {kKey, kValue}) {
      RequireSame(input, kQuery, Batch(), "a batch size of");
      if (Differ(At(input, Heads()), At(kQuery, Heads()))) {
        Fail(Name(input) + " has " + Number(At(input, Heads())) + " heads and Q has " +
             Number(At(kQuery, Heads())) +
             ": grouped-query attention is not supported, repeat the heads of K and V");
      }
      RequireSame(input, kQuery, HeadSize(), "a head size of");
    }
    RequireSame(kValue, kKey, Rows(), "a length of");
    for (const size_t input : {kQuery, kKey, kValue}) CheckHeadSize(input);
    CheckBias();
  }

 private:
  [[noreturn]] void Fail(const std::string& what) const {
    throw Error(ORT_INVALID_ARGUMENT, what + " " + Describe(inputs_, layout_));
  }

  void CheckTypes() const {
    const ONNXTensorElementDataType type = inputs_[kQuery].type;
    if (type != ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED && !ElementTypeOn(device_, type)) {
      Fail("Q is " + TypeName(type) + ", but " +
           (device_ == Device::kCpu ? "the CPU takes float32 and float16"
                                    : "the GPU takes float16 and bfloat16"));
    }
    for (const size_t input : {kKey, kValue, kBias}) {
      const ONNXTensorElementDataType other = inputs_[input].type;
      if (!inputs_[input].present || other == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED) continue;
      if (type != ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED && other != type) {
        Fail(Name(input) + " is " + TypeName(other) + ", but Q is " + TypeName(type));
      }
    }
  }

  void CheckRanks() const {
    for (size_t input = 0; input < inputs_.size(); ++input) {
      const auto& shape = inputs_[input].shape;
      if (shape && shape->size() != 4) {
        Fail(Name(input) + " has " + Number(static_cast<int64_t>(shape->size())) +
             " dimensions, but must have 4");
      }
    }
  }

  void CheckHeadSize(size_t input) const {
    const int64_t size = At(input, HeadSize());
    if (size != kUnknown && size != 32 && size != 64 && size != 128) {
      Fail(Name(input) + " has a head size of " + Number(size) +
           ", but 32, 64 and 128 are supported");
    }
  }

  void CheckBias() const {
    if (!inputs_[kBias].present) return;
    const struct {
      size_t at;
      int64_t size;
      bool may_be_one;
      const char* meaning;
    } dimensions[] = {
        {0, At(kQuery, Batch()), true, "batch size"},
        {1, At(kQuery, Heads()), true, "number of heads"},
        {2, At(kQuery, Rows()), true, "length of Q"},
        {3, At(kKey, Rows()), false, "length of K"},
    };
    for (const auto& [at, size, may_be_one, meaning] : dimensions) {
      const int64_t actual = At(kBias, at);
      if (!Differ(actual, size) || (may_be_one && actual == 1)) continue;
      Fail("dimension " + std::to_string(at) + " of bias is " + Number(actual) + ", but must be " +
           Number(size) + (may_be_one ? " or 1" : "") + ", the " + meaning);
    }
  }

  void RequireSame(size_t input, size_t as, size_t dimension, const char* what) const {
    if (Differ(At(input, dimension), At(as, dimension))) {
      Fail(Name(input) + " has " + what + " " + Number(At(input, dimension)) + ", but " + Name(as) +
           " has " + what + " " + Number(At(as, dimension)));
    }
  }

  static bool Differ(int64_t a, int64_t b) { return a != b && a != kUnknown && b != kUnknown; }
  static std::string Name(size_t input) { return kInputNames[input]; }
  static std::string Number(int64_t number) { return std::to_string(number); }

  int64_t At(size_t input, size_t dimension) const {
    const auto& shape = inputs_[input].shape;
    return shape ? (*shape)[dimension] : kUnknown;
  }

  static constexpr size_t Batch() { return 0; }
  static constexpr size_t HeadSize() { return 3; }
  size_t Heads() const { return layout_ == Layout::kBhsd ? 1 : 2; }
  size_t Rows() const { return layout_ == Layout::kBhsd ? 2 : 1; }

  const Inputs& inputs_;
  const Layout layout_;
  const Device device_;
};

// ---- The problem --------------------------------------------------------------------------------

Strides RowMajorStrides(const std::vector<int64_t>& shape, Layout layout) {
  const int64_t inner = shape[3];
  const int64_t outer = shape[2] * inner;
  const int64_t batch = shape[1] * outer;
  return layout == Layout::kBhsd ? Strides{batch, outer, inner} : Strides{batch, inner, outer};
}

// 0 along the dimensions that are broadcast.
Strides BiasStrides(const std::vector<int64_t>& shape) {
  const Strides strides = RowMajorStrides(shape, Layout::kBhsd);
  return {shape[0] == 1 ? 0 : strides.batch, shape[1] == 1 ? 0 : strides.head,
          shape[2] == 1 ? 0 : strides.row};
}

bool IsEmpty(const std::vector<int64_t>& shape) {
  return std::find(shape.begin(), shape.end(), 0) != shape.end();
}

// Shapes and strides of checked inputs; the pointers are null. No tensor but `bias` and those of
// key_length 0 may be empty: their other sizes are then bounded by memory, and nothing overflows.
AttentionProblem MakeProblem(const Inputs& inputs, const Attributes& attributes, Device device) {
  const std::vector<int64_t>& query = *inputs[kQuery].shape;
  const std::vector<int64_t>& key = *inputs[kKey].shape;
  const bool heads_first = attributes.layout == Layout::kBhsd;

  AttentionProblem problem{};
  problem.element_type = *ElementTypeOn(device, inputs[kQuery].type);
  problem.compute_type = attributes.compute_type;
  problem.batch = query[0];
  problem.heads = query[heads_first ? 1 : 2];
  problem.query_length = query[heads_first ? 2 : 1];
  problem.key_length = key[heads_first ? 2 : 1];
  problem.head_size = query[3];
  problem.query_strides = RowMajorStrides(query, attributes.layout);
  problem.key_strides = RowMajorStrides(key, attributes.layout);
  problem.value_strides = problem.key_strides;
  problem.output_strides = problem.query_strides;
  if (inputs[kBias].present) problem.bias_strides = BiasStrides(*inputs[kBias].shape);
  problem.scale =
      attributes.scale.value_or(1.0F / std::sqrt(static_cast<float>(problem.head_size)));
  // A window that no pair of positions exceeds is none; kernels may add what is left to a position.
  problem.window_left = attributes.window_left >= problem.query_length - 1 ? kUnlimitedWindow
                                                                           : attributes.window_left;
  problem.window_right = attributes.window_right >= problem.key_length - 1
                             ? kUnlimitedWindow
                             : attributes.window_right;
  return problem;
}

// ---- Kernels ------------------------------------------------------------------------------------

// Hands a kernel's tasks to the session's threads.
class Threads {
 public:
  Threads(const OrtApi& api, const OrtKernelContext* context) : api_(api), context_(context) {}
  ~Threads() { api_.ReleaseStatus(failure_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  ParallelFor AsParallelFor() { return {&Threads::Run, this}; }

  // Throws if ONNX Runtime refused to run some tasks.
  void CheckAllRan() { Check(api_, std::exchange(failure_, nullptr)); }

 private:
  static void Run(void* self, void (*task)(void*, size_t), size_t count, void* argument) {
    Threads& threads = *static_cast<Threads*>(self);
    OrtStatus* status = threads.api_.KernelContext_ParallelFor(threads.context_, task, count,
                                                               /*num_batch=*/0, argument);
    if (status != nullptr) {
      threads.api_.ReleaseStatus(std::exchange(threads.failure_, status));
    }
  }

  const OrtApi& api_;
  const OrtKernelContext* const context_;
  OrtStatus* failure_ = nullptr;
};

// Memory from ONNX Runtime's CPU allocator, for one run.
class Scratch {
 public:
  Scratch(const OrtApi& api, const OrtKernelContext* context, const OrtMemoryInfo* cpu, size_t size)
      : allocator_(nullptr, api.ReleaseAllocator) {
    if (size == 0) return;
    if (size > std::numeric_limits<size_t>::max() - kScratchAlignment) Fail(size);
    OrtAllocator* allocator = nullptr;
    Check(api, api.KernelContext_GetAllocator(context, cpu, &allocator));
    allocator_.reset(allocator);
    try {
      memory_ = allocator->Alloc(allocator, size + kScratchAlignment);
    } catch (...) {  // ONNX Runtime's allocators throw, in spite of their C interface
    }
    if (memory_ == nullptr) Fail(size);
    size_t space = size + kScratchAlignment;
    aligned_ = memory_;
    std::align(kScratchAlignment, size, aligned_, space);
  }
  ~Scratch() {
    if (memory_ != nullptr) allocator_->Free(allocator_.get(), memory_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  void* data() const { return aligned_; }

 private:
  [[noreturn]] static void Fail(size_t size) {
    throw Error(ORT_FAIL,
                "no memory for " + std::to_string(size) + " bytes of packed keys and values");
  }

  Owned<OrtAllocator> allocator_;
  void* memory_ = nullptr;
  void* aligned_ = nullptr;
};

// The op at one node of one session.
class Kernel {
 public:
  Kernel(const OrtApi& api, Device device, const OrtKernelInfo* info, std::string node)
      : node(std::move(node)),
        api(api),
        device_(device),
        attributes_(ReadAttributes(api, info)),
        cpu_memory_(nullptr, api.ReleaseMemoryInfo) {
    if (device == Device::kCpu) {
      const char* error = nullptr;
      if (CpuInstructionSet(&error) == nullptr) throw Error(ORT_FAIL, error);
    }
    InputChecker(DeclaredInputs(info), attributes_.layout, device).Check();
    OrtMemoryInfo* memory = nullptr;
    ck_flash_attention::Check(
        api, api.CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));
    cpu_memory_.reset(memory);
  }

  // Thread-safe: sessions may run concurrently.
  void Compute(OrtKernelContext* context) const {
    std::array<const OrtValue*, kInputNames.size()> values{};
    const Inputs inputs = ActualInputs(context, values);
    InputChecker(inputs, attributes_.layout, device_).Check();

    const std::vector<int64_t>& shape = *inputs[kQuery].shape;
    OrtValue* output = nullptr;
    Check(api.KernelContext_GetOutput(context, 0, shape.data(), shape.size(), &output));
    if (output == nullptr || IsEmpty(shape)) return;

    AttentionProblem problem = MakeProblem(inputs, attributes_, device_);
    problem.query = Data(values[kQuery]);
    problem.key = Data(values[kKey]);
    problem.value = Data(values[kValue]);
    problem.bias = inputs[kBias].present ? Data(values[kBias]) : nullptr;
    Check(api.GetTensorMutableData(output, &problem.output));
    try {
      if (device_ == Device::kCpu) {
        RunOnCpu(problem, context);
      } else {
        RunOnRocm(problem, context);
      }
    } catch (const std::exception& error) {
      throw Error(ORT_FAIL, std::string(error.what()) + " " + Describe(inputs, attributes_.layout));
    }
  }

  const std::string node;
  const OrtApi& api;

 private:
  void Check(OrtStatus* status) const { ck_flash_attention::Check(api, status); }

  // What the model and shape inference tell of the inputs.
  Inputs DeclaredInputs(const OrtKernelInfo* info) const {
    Inputs inputs;
    size_t count = 0;
    Check(api.KernelInfo_GetInputCount(info, &count));
    for (size_t input = 0; input < std::min(count, inputs.size()); ++input) {
      size_t length = 0;
      Check(api.KernelInfo_GetInputName(info, input, nullptr, &length));
      if (length <= 1) continue;  // no name: an optional input that is left out
      inputs[input].present = true;
      OrtTypeInfo* type = nullptr;
      if (!Succeeded(api, api.KernelInfo_GetInputTypeInfo(info, input, &type))) continue;
      const Owned<OrtTypeInfo> owned(type, api.ReleaseTypeInfo);
      const OrtTensorTypeAndShapeInfo* tensor = nullptr;
      Check(api.CastTypeInfoToTensorInfo(type, &tensor));
      if (tensor == nullptr) {
        throw Error(ORT_INVALID_GRAPH, std::string(kInputNames[input]) + " is not a tensor");
      }
      Check(api.GetTensorElementType(tensor, &inputs[input].type));
      std::vector<int64_t> shape = Dimensions(api, tensor);
      // ONNX Runtime gives no dimensions also where it does not know their number.
      if (!shape.empty()) inputs[input].shape = std::move(shape);
    }
    return inputs;
  }

  Inputs ActualInputs(const OrtKernelContext* context,
                      std::array<const OrtValue*, kInputNames.size()>& values) const {
    Inputs inputs;
    size_t count = 0;
    Check(api.KernelContext_GetInputCount(context, &count));
    for (size_t input = 0; input < std::min(count, inputs.size()); ++input) {
      Check(api.KernelContext_GetInput(context, input, &values[input]));
      if (values[input] == nullptr) continue;
      OrtTensorTypeAndShapeInfo* tensor = nullptr;
      Check(api.GetTensorTypeAndShape(values[input], &tensor));
      const Owned<OrtTensorTypeAndShapeInfo> owned(tensor, api.ReleaseTensorTypeAndShapeInfo);
      inputs[input].present = true;
      Check(api.GetTensorElementType(tensor, &inputs[input].type));
      inputs[input].shape = Dimensions(api, tensor);
    }
    for (const size_t input : {kQuery, kKey, kValue}) {
      if (!inputs[input].present) {
        throw Error(ORT_INVALID_ARGUMENT, std::string(kInputNames[input]) + " is missing");
      }
    }
    return inputs;
  }

  const void* Data(const OrtValue* value) const {
    void* data = nullptr;
    // There is no function that takes a constant value and gives a constant pointer.
    Check(api.GetTensorMutableData(const_cast<OrtValue*>(value), &data));
    return data;
  }

  void RunOnCpu(const AttentionProblem& problem, const OrtKernelContext* context) const {
    if (problem.key_length == 0) {
      const size_t bytes = problem.element_type == ElementType::kFloat32 ? 4 : 2;
      const int64_t count =
          problem.batch * problem.heads * problem.query_length * problem.head_size;
      std::memset(problem.output, 0, static_cast<size_t>(count) * bytes);
      return;
    }
    const Scratch scratch(api, context, cpu_memory_.get(), CpuScratchBytes(problem));
    Threads threads(api, context);
    ck_flash_attention::RunOnCpu(problem, scratch.data(), threads.AsParallelFor());
    threads.CheckAllRan();
  }

  void RunOnRocm([[maybe_unused]] const AttentionProblem& problem,
                 [[maybe_unused]] const OrtKernelContext* context) const {
#ifdef POINTSMAN_ROCM
    void* stream = nullptr;
    Check(api.KernelContext_GetGPUComputeStream(context, &stream));
    const char* error = ck_flash_attention::RunOnRocm(problem, stream);
    if (error != nullptr) throw Error(ORT_FAIL, error);
#endif
  }

  const Device device_;
  const Attributes attributes_;
  Owned<OrtMemoryInfo> cpu_memory_;
};

// ---- The op as ONNX Runtime sees it -------------------------------------------------------------

struct Op : OrtCustomOp {
  const OrtApi* api;
  Device device;
};

const Op& AsOp(const OrtCustomOp* op) { return *static_cast<const Op*>(op); }

std::string NodeName(const OrtApi& api, const OrtKernelInfo* info) {
  size_t size = 0;
  if (!Succeeded(api, api.KernelInfo_GetNodeName(info, nullptr, &size)) || size == 0) return "";
  std::string name(size, '\0');
  if (!Succeeded(api, api.KernelInfo_GetNodeName(info, name.data(), &size))) return "";
  name.resize(size - 1);  // without the terminating zero
  return name;
}

OrtStatus* CreateKernel(const OrtCustomOp* op, const OrtApi* api, const OrtKernelInfo* info,
                        void** kernel) {
  std::string node;
  OrtStatus* status = Guarded(*api, node, [&] { node = NodeName(*api, info); });
  if (status != nullptr) return status;
  return Guarded(*api, node, [&] { *kernel = new Kernel(*api, AsOp(op).device, info, node); });
}

OrtStatus* ComputeKernel(void* kernel, OrtKernelContext* context) {
  const Kernel& self = *static_cast<const Kernel*>(kernel);
  return Guarded(self.api, self.node, [&] { self.Compute(context); });
}

void DestroyKernel(void* kernel) { delete static_cast<Kernel*>(kernel); }

// O has Q's shape. What cannot be told is left open: the kernel reports mistakes.
void SetOutputShape(const OrtApi& api, OrtShapeInferContext* context) {
  OrtTensorTypeAndShapeInfo* query = nullptr;  // the context's own
  Check(api, api.ShapeInferContext_GetInputTypeShape(context, kQuery, &query));
  const std::vector<int64_t> shape = Dimensions(api, query);
  if (shape.size() != 4) return;
  std::array<const char*, 4> names{};
  Check(api, api.GetSymbolicDimensions(query, names.data(), names.size()));

  // ONNX Runtime would take a dimension without size and name for one of size -1; a new name says
  // that it is open, and equal to no other.
  static std::atomic<uint64_t> counter{0};
  std::array<std::string, 4> made_up;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] >= 0 || (names[i] != nullptr && *names[i] != '\0')) continue;
    made_up[i] = std::string(kOpName) + "_" + std::to_string(++counter);
    names[i] = made_up[i].c_str();
  }

  OrtTensorTypeAndShapeInfo* output = nullptr;
  Check(api, api.CreateTensorTypeAndShapeInfo(&output));
  const Owned<OrtTensorTypeAndShapeInfo> owned(output, api.ReleaseTensorTypeAndShapeInfo);
  ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  Check(api, api.GetTensorElementType(query, &type));
  Check(api, api.SetTensorElementType(output, type));
  Check(api, api.SetDimensions(output, shape.data(), shape.size()));
  Check(api, api.SetSymbolicDimensions(output, names.data(), names.size()));
  Check(api, api.ShapeInferContext_SetOutputTypeShape(context, 0, output));
}

OrtStatus* InferOutputShape(const OrtCustomOp* op, OrtShapeInferContext* context) {
  const OrtApi& api = *AsOp(op).api;
  // ONNX Runtime neither looks at a status returned here nor releases it.
  (void)Succeeded(api, Guarded(api, "", [&] { SetOutputShape(api, context); }));
  return nullptr;
}

OrtCustomOp Callbacks(bool infer_shapes) {
  OrtCustomOp op{};
  op.version = ORT_API_VERSION;
  op.GetName = [](const OrtCustomOp*) -> const char* { return kOpName; };
  op.GetExecutionProviderType = [](const OrtCustomOp* self) -> const char* {
    return AsOp(self).device == Device::kCpu ? "CPUExecutionProvider" : "ROCMExecutionProvider";
  };
  op.GetInputTypeCount = [](const OrtCustomOp*) { return kInputNames.size(); };
  op.GetOutputTypeCount = [](const OrtCustomOp*) -> size_t { return 1; };
  // Any type, so that the kernel can say which input is wrong, where ONNX Runtime would say "no
  // kernel found".
  op.GetInputType = [](const OrtCustomOp*, size_t) {
    return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  };
  op.GetOutputType = op.GetInputType;
  op.GetInputCharacteristic = [](const OrtCustomOp*, size_t index) {
    return index == kBias ? INPUT_OUTPUT_OPTIONAL : INPUT_OUTPUT_REQUIRED;
  };
  op.GetOutputCharacteristic = [](const OrtCustomOp*, size_t) { return INPUT_OUTPUT_OPTIONAL; };
  op.GetInputMemoryType = [](const OrtCustomOp*, size_t) { return OrtMemTypeDefault; };
  op.GetVariadicInputMinArity = [](const OrtCustomOp*) { return 0; };
  op.GetVariadicInputHomogeneity = op.GetVariadicInputMinArity;
  op.GetVariadicOutputMinArity = op.GetVariadicInputMinArity;
  op.GetVariadicOutputHomogeneity = op.GetVariadicInputMinArity;
  op.CreateKernelV2 = CreateKernel;
  op.KernelComputeV2 = ComputeKernel;
  op.KernelDestroy = DestroyKernel;
  if (infer_shapes) op.InferOutputShapeFn = InferOutputShape;
  op.GetStartVersion = [](const OrtCustomOp*) { return 1; };
  op.GetEndVersion = op.GetStartVersion;
  return op;
}

// ---- Registration -------------------------------------------------------------------------------

struct Version {
  unsigned major = 0, minor = 0;
  auto operator<=>(const Version&) const = default;
};

// Up to 1.23, ONNX Runtime crashes before it calls a shape inference function, when the name of an
// optional input is empty.
constexpr Version kInfersShapes{1, 24};

const char* VersionString(const OrtApiBase& base) {
  const char* text = base.GetVersionString != nullptr ? base.GetVersionString() : nullptr;
  return text != nullptr ? text : "of unknown version";
}

Version VersionOf(const OrtApiBase& base) {
  Version version;
  const bool known = std::sscanf(VersionString(base), "%u.%u", &version.major, &version.minor) == 2;
  return known ? version : Version{};
}

// The domain that sessions of one ONNX Runtime share, and point to for as long as they live.
class Registration {
 public:
  Registration(const OrtApi& api, bool infer_shapes) : domain_(nullptr, api.ReleaseCustomOpDomain) {
    OrtCustomOpDomain* domain = nullptr;
    Check(api, api.CreateCustomOpDomain(kDomain, &domain));
    domain_.reset(domain);
    for (Op& op : ops_) {
      static_cast<OrtCustomOp&>(op) = Callbacks(infer_shapes);
      op.api = &api;
      Check(api, api.CustomOpDomain_Add(domain, &op));
    }
  }

  // The one of this API, made when first asked for; never released, as no one knows the last user.
  static Registration& Of(const OrtApi& api, Version version) {
    static std::mutex mutex;
    static auto& all = *new std::map<const OrtApi*, std::unique_ptr<Registration>>;
    const std::lock_guard lock(mutex);
    std::unique_ptr<Registration>& registration = all[&api];
    if (!registration) {
      registration = std::make_unique<Registration>(api, version >= kInfersShapes);
    }
    return *registration;
  }

  OrtCustomOpDomain* domain() const { return domain_.get(); }

 private:
  Owned<OrtCustomOpDomain> domain_;
#ifdef POINTSMAN_ROCM
  std::array<Op, 2> ops_{{{{}, nullptr, Device::kCpu}, {{}, nullptr, Device::kRocm}}};
#else
  std::array<Op, 1> ops_{{{{}, nullptr, Device::kCpu}}};
#endif
};

// The status that says that this ONNX Runtime does not serve the API we need. Every version of the
// API makes statuses, so any that it does serve will do; the newest comes first.
OrtStatus* ApiMissing(const OrtApiBase& base) noexcept {
  char message[200];
  std::snprintf(message, sizeof message,
                "%s: ONNX Runtime %s does not serve version %d of its API, which this library "
                "needs; use ONNX Runtime 1.%d or later",
                kOpName, VersionString(base), ORT_API_VERSION, ORT_API_VERSION);
  const unsigned newest = VersionOf(base).minor;
  const OrtApi* api = newest > ORT_API_VERSION ? base.GetApi(newest) : nullptr;
  for (uint32_t older = ORT_API_VERSION - 1; api == nullptr && older > 0; --older) {
    api = base.GetApi(older);
  }
  if (api != nullptr) return api->CreateStatus(ORT_NOT_IMPLEMENTED, message);
  std::fprintf(stderr, "%s\n", message);
  return nullptr;  // there is no way to make a status
}

}  // namespace
}  // namespace ck_flash_attention

extern "C" __attribute__((visibility("default"))) OrtStatus* RegisterCustomOps(
    OrtSessionOptions* options, const OrtApiBase* base) {
  using namespace ck_flash_attention;
  const OrtApi* api = base->GetApi(ORT_API_VERSION);
  if (api == nullptr) return ApiMissing(*base);
  return Guarded(*api, "", [&] {
    Check(*api, api->AddCustomOpDomain(options, Registration::Of(*api, VersionOf(*base)).domain()));
  });
}

// The CPU's instruction set that sessions of this process use, for people who look: see
// CpuInstructionSet. Needs no ONNX Runtime.
extern "C" __attribute__((visibility("default"))) const char* CKFlashAttentionInstructionSet(
    const char** error) {
  return ck_flash_attention::CpuInstructionSet(error);
}
