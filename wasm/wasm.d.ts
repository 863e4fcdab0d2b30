/** workerd compiles imported `.wasm` files when it loads the Worker. */
declare module '#wasm/*.wasm' {
  const module: WebAssembly.Module;
  // biome-ignore lint/style/noDefaultExport: workerd's own form of such a module.
  export default module;
}
