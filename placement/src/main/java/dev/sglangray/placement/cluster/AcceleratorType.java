/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The kinds of accelerators, with RLinf's names, Ray's resource for them, and the variables that show them to a process. */
public enum AcceleratorType {
    /** NVIDIA GPUs. */
    NV_GPU("GPU", "CUDA_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"),
    /** AMD GPUs. */
    AMD_GPU("GPU", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES,HIP_VISIBLE_DEVICES"),
    /** Intel GPUs. */
    INTEL_GPU("GPU", "ONEAPI_DEVICE_SELECTOR", "ONEAPI_DEVICE_SELECTOR"),
    /** Huawei Ascend. */
    NPU("NPU", "ASCEND_RT_VISIBLE_DEVICES", "ASCEND_RT_VISIBLE_DEVICES"),
    /** Moore Threads GPUs. */
    MUSA_GPU("MUSA_GPU", "MUSA_VISIBLE_DEVICES", "MUSA_VISIBLE_DEVICES"),
    /** Kunlun XPUs. */
    KUNLUN_XPU("KUNLUN_XPU", "CUDA_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"),
    /** No accelerator. */
    NO_ACCEL("", "", "");

    private final String rayResource;
    private final String visibleDevicesVariable;
    private final String rayMustNotSet;

    AcceleratorType(String rayResource, String visibleDevicesVariable, String rayMustNotSet) {
        this.rayResource = rayResource;
        this.visibleDevicesVariable = visibleDevicesVariable;
        this.rayMustNotSet = rayMustNotSet;
    }

    /** Ray's resource that counts these accelerators; empty for {@link #NO_ACCEL}. */
    public String rayResource() {
        return rayResource;
    }

    /** The variable that limits a process to some accelerators; empty for {@link #NO_ACCEL}. */
    public String visibleDevicesVariable() {
        return visibleDevicesVariable;
    }

    /**
     * The variables that RLinf sets for a process which sees these accelerators, apart from those that depend on the
     * torch in use. The list of Intel's has its backend in front, without which oneAPI shows no device.
     *
     * @param visible local accelerator numbers in order; may be empty
     */
    public Map<String, String> environment(List<String> visible) {
        Map<String, String> variables = new LinkedHashMap<>();
        if (this == NO_ACCEL) {
            return variables;
        }
        // oneAPI takes no device without its backend: level_zero:0,1.
        String backend = this == INTEL_GPU && !visible.isEmpty() ? "level_zero:" : "";
        variables.put(visibleDevicesVariable, backend + String.join(",", visible));
        for (String name : rayMustNotSet.split(",", -1)) {
            variables.put("RAY_EXPERIMENTAL_NOSET_" + name, "1");
        }
        if (this == NV_GPU) {
            // RLinf asks the driver for the renderer's number of the device and falls back to this one.
            if (!visible.isEmpty()) {
                variables.put("MUJOCO_EGL_DEVICE_ID", visible.get(0));
                variables.put("EGL_DEVICE_ID", visible.get(0));
            }
            variables.put("NCCL_CUMEM_ENABLE", "0");
        }
        return variables;
    }
}
