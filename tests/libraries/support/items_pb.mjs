// The output of protoc-gen-es for items.proto, written by hand.
//
//   package items.v1;
//   message Id { int32 id = 1; }
//   message Item { int32 id = 1; string of = 2; }
//   service Items { rpc Get(Id) returns (Item); rpc Watch(Id) returns (stream Item); }

import { create, createFileRegistry } from '@bufbuild/protobuf'
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'

const field = (name, number, type) => ({ name, jsonName: name, number, type, label: Label.OPTIONAL })
const method = (name, serverStreaming) => ({
  name,
  inputType: '.items.v1.Id',
  outputType: '.items.v1.Item',
  serverStreaming,
})

const file = create(FileDescriptorProtoSchema, {
  name: 'items.proto',
  package: 'items.v1',
  syntax: 'proto3',
  messageType: [
    { name: 'Id', field: [field('id', 1, Type.INT32)] },
    { name: 'Item', field: [field('id', 1, Type.INT32), field('of', 2, Type.STRING)] },
  ],
  service: [{ name: 'Items', method: [method('Get', false), method('Watch', true)] }],
})

export const Items = createFileRegistry(file, () => undefined).getService('items.v1.Items')
