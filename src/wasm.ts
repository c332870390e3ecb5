/**
 * Kernels: WebAssembly modules that are kept as base64 (`npm run build:kernel`).
 *
 * @module
 */

/** Each is compiled once a process. */
const compiled = new Map<string, WebAssembly.Module>();

/**
 * A kernel that works on the given memory.
 *
 * @param kernel the module, base64
 * @throws where the host lacks WebAssembly SIMD, or a content security policy forbids it
 */
export function startKernel<Exports>(kernel: string, memory: WebAssembly.Memory): Exports {
	let module = compiled.get(kernel);
	if (module === undefined) {
		module = new WebAssembly.Module(Uint8Array.from(atob(kernel), (c) => c.charCodeAt(0)));
		compiled.set(kernel, module);
	}
	return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;
}

/** Bytes of a page of memory. */
const PAGE = 65_536;

/** Memory for a kernel. @param bytes that the host needs, behind a page that is the kernel's @param shared by threads */
export function kernelMemory(bytes: number, shared: boolean): WebAssembly.Memory {
	const pages = 1 + Math.ceil(bytes / PAGE);
	return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
}
