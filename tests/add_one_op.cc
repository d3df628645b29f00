// Custom operator for the tests: test.pointsman::AddOne(X) -> X + 1, fp32, any shape.
// It refuses negative numbers, so that a test can make a run fail.
#define ORT_API_MANUAL_INIT
#include <onnxruntime/core/session/onnxruntime_cxx_api.h>

struct AddOneKernel {
  OrtStatusPtr ComputeV2(OrtKernelContext* raw) {
    Ort::KernelContext context(raw);
    const Ort::ConstValue x = context.GetInput(0);
    const auto info = x.GetTensorTypeAndShapeInfo();
    const float* in = x.GetTensorData<float>();
    float* out = context.GetOutput(0, info.GetShape()).GetTensorMutableData<float>();
    for (size_t i = 0; i < info.GetElementCount(); ++i) {
      if (in[i] < 0) return Ort::Status("AddOne takes no negative number", ORT_FAIL).release();
      out[i] = in[i] + 1;
    }
    return nullptr;
  }
};

struct AddOne : Ort::CustomOpBase<AddOne, AddOneKernel, true> {
  OrtStatusPtr CreateKernelV2(const OrtApi&, const OrtKernelInfo*, void** kernel) const {
    *kernel = new AddOneKernel;
    return nullptr;
  }
  const char* GetName() const { return "AddOne"; }
  size_t GetInputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetInputType(size_t) const {
    return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  }
  size_t GetOutputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetOutputType(size_t) const {
    return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  }
};

extern "C" OrtStatus* RegisterCustomOps(OrtSessionOptions* options, const OrtApiBase* base) {
  Ort::InitApi(base->GetApi(ORT_API_VERSION));
  static const AddOne op;
  static Ort::CustomOpDomain domain(DOMAIN_NAME);
  domain.Add(&op);
  return Ort::GetApi().AddCustomOpDomain(options, domain);
}
